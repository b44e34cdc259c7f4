import type { Change, ItemWrite, MessageWrite } from '@maestro/ports';
import type { Item, ItemStatus, Json, MessageId, Turn, TurnId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { unknownOutcome } from '../context/history.ts';
import { failedNotice, notice } from '../turn/notice.ts';
import { rewrite } from './new-item.ts';

/** What is true of each open item after its server died. */
const truth = (item: Item): ItemStatus => {
  if (item.kind === 'approval' || item.kind === 'question') return 'stale';
  if (item.kind === 'tool_call' && item.status === 'running') return 'unknown';
  if (item.kind === 'tool_call' && item.status === 'pending') return 'cancelled';
  return 'failed';
};

/** A turn that goes on by itself after a crash is given up when this many of its servers had died before. */
export const most_crashes = 3;

/**
 * The one change that writes the truth about an abandoned session: nothing guessed, nothing left spinning.
 * `given_up`: how many servers the turn has taken with it, where it is not to go on by itself any more; else null.
 */
export const crashChange = (
  open: readonly Item[],
  turn: Turn | null,
  given_up: number | null = null,
): Change => {
  const ended = turn && (turn.status === 'running' || turn.status === 'waiting');
  const reason =
    given_up === null
      ? 'The server stopped while this turn ran.'
      : `The server stopped ${given_up} times while this turn ran, so it does not go on by itself any more.`;
  const said = ended ? [given_up === null ? interruptedNotice(turn.id) : givenUpNotice(turn.id, reason)] : [];
  const closed = closeOpen(open, 'The server stopped before this call was started.');
  return {
    items: [...closed.items, ...said],
    ...(ended
      ? {
          turn: {
            id: turn.id,
            status: given_up === null ? 'interrupted' : 'failed',
            cause: 'crash',
            reason,
            steps: turn.steps,
          },
        }
      : {}),
    session: { status: ended && given_up !== null ? 'failed' : 'idle', waiting_for: null },
    messages: closed.messages,
  };
};

const interruptedNotice = (turn: TurnId): ItemWrite =>
  notice(turn, {
    code: 'turn_interrupted',
    level: 'warning',
    text: 'The server stopped while this turn ran. Everything up to here is kept.',
    cause: 'crash',
    remedy: 'Resume to continue from the last finished step.',
  });

const givenUpNotice = (turn: TurnId, message: string): ItemWrite =>
  failedNotice(turn, {
    cause: 'crash',
    message,
    remedy:
      'Look at what ran last, and at the log of the server. Then resume the turn, or retry the message.',
  });

/** Ends what nothing else will end. `never_started`: why a call that waited did not run. */
export const closeOpen = (
  open: readonly Item[],
  never_started: string,
): { items: ItemWrite[]; messages: MessageWrite[] } => ({
  items: open.map((item) => rewrite(item, truth(item), truthData(item, never_started))),
  messages: open.flatMap((item) => resultOf(item, never_started)),
});

const truthData = (item: Item, never_started: string): Item['data'] => {
  if (item.kind !== 'tool_call') return item.data;
  const words = item.status === 'running' ? unknownOutcome : never_started;
  return { ...item.data, error: words, ended_at: item.updated_at };
};

/** The model is told as much as is known of each call that has no result. */
const resultOf = (item: Item, never_started: string): MessageWrite[] => {
  if (item.kind !== 'tool_call' || item.status === 'streaming') return [];
  const text = item.status === 'running' ? unknownOutcome : never_started;
  const content: Json = [
    {
      type: 'tool_result',
      call_id: item.data.call_id,
      name: item.data.name,
      is_error: true,
      content: [{ type: 'text', text }],
    },
  ];
  return [{ id: newId<MessageId>('msg'), turn_id: item.turn_id, role: 'tool', content }];
};
