import type { Change, ItemWrite } from '@maestro/ports';
import type { RouteParsed, Routes, Session, TurnId } from '@maestro/protocol';
import { failedNotice, notice } from '../turn/notice.ts';
import type { TurnEnd } from '../turn/run-turn.ts';
import type { Incoming } from './messages.ts';

type Patch = RouteParsed<Routes['patchSession']>['body'];

/** Title of a session that nobody has named; its first message names it. */
export const untitledSession = 'New session';

/** Longest title made from a message, UTF-16 units. */
const titleLength = 60;

/** What a turn's end writes: its row, the session's state and, where it did not end well, a line that says why. */
export const endChange = (turn_id: TurnId, end: TurnEnd): Change => ({
  items: endNotices(turn_id, end),
  turn: { id: turn_id, status: end.status, cause: end.cause, reason: end.reason, steps: end.steps },
  session: { status: end.status === 'failed' ? 'failed' : 'idle', waiting_for: null },
});

const endNotices = (turn_id: TurnId, end: TurnEnd): ItemWrite[] => {
  const text = end.reason ?? 'Stopped.';
  if (end.status === 'failed' && end.cause)
    return [
      failedNotice(turn_id, {
        cause: end.cause,
        message: text,
        ...(end.remedy ? { remedy: end.remedy } : {}),
      }),
    ];
  if (end.status !== 'interrupted') return [];
  const remedy = 'Resume to let it go on, or send another message.';
  return [notice(turn_id, { code: 'turn_interrupted', level: 'info', text, remedy })];
};

/** What the first words of a turn do to the session: its preview and, where nobody has named it, its title. */
export const firstWords = (
  session: Session,
  messages: readonly Incoming[],
): { preview: string; title?: string } => {
  const line = (messages[0]?.text ?? '').trim().split('\n', 1)[0] ?? '';
  const preview = line.slice(0, 200);
  if (session.title !== untitledSession || line === '') return { preview };
  return { preview, title: line.length > titleLength ? `${line.slice(0, titleLength - 1)}…` : line };
};

/** A line in the transcript where provider, model or authentication will be another from the next message on. */
export const changeNotices = (session: Session, patch: Patch): ItemWrite[] => {
  const to = {
    provider: patch.provider ?? session.provider,
    model: patch.model ?? session.model,
    auth_type: patch.auth_type ?? session.auth_type,
  };
  const same =
    to.provider === session.provider && to.model === session.model && to.auth_type === session.auth_type;
  if (same) return [];
  const text = `From the next message on: ${to.model} (${to.provider}, ${to.auth_type}).`;
  return [notice(null, { code: 'model_changed', level: 'info', text, detail: to })];
};
