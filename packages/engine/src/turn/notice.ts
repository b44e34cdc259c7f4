import type { ItemWrite, ProviderError } from '@maestro/ports';
import type { Cause, ItemId, ItemOf, TurnId } from '@maestro/protocol';
import { itemWrite } from '../actor/new-item.ts';

/** A line in the transcript that says what the server did or could not do. */
export const notice = (turn_id: TurnId | null, data: ItemOf<'notice'>['data'], id?: ItemId): ItemWrite =>
  itemWrite('notice', 'done', turn_id, data, id ? { id } : {});

export const failedNotice = (
  turn_id: TurnId,
  error: { cause: Cause; message: string; remedy?: string },
): ItemWrite =>
  notice(turn_id, {
    code: 'turn_failed',
    level: 'error',
    text: error.message,
    cause: error.cause,
    ...(error.remedy ? { remedy: error.remedy } : {}),
  });

export const retryNotice = (
  turn_id: TurnId,
  id: ItemId,
  error: ProviderError,
  wait_ms: number,
  attempt: number,
): ItemWrite =>
  notice(
    turn_id,
    {
      code: 'retry',
      level: 'warning',
      text: `${error.message} Trying again in ${seconds(wait_ms)} s (attempt ${attempt + 1}).`,
      cause: error.cause,
    },
    id,
  );

export const heldNotice = (turn_id: TurnId, id: ItemId, wait_ms: number): ItemWrite =>
  notice(
    turn_id,
    {
      code: 'retry',
      level: 'warning',
      text: `The rate limit of this key and model is used up. Sent in ${seconds(wait_ms)} s, when it is reset.`,
      cause: 'rate_limit',
    },
    id,
  );

const seconds = (ms: number): number => Math.max(1, Math.round(ms / 1000));

export const profileNotice = (
  turn_id: TurnId,
  event: { from: string; to: string; reason: string },
): ItemWrite =>
  notice(turn_id, {
    code: 'profile_fallback',
    level: 'warning',
    text: `The service refused the headers of profile ${event.from}; ${event.to} is used from now on.`,
    detail: { from: event.from, to: event.to, reason: event.reason },
  });
