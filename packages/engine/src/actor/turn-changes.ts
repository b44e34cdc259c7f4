import type { Change, ItemWrite, TurnWrite } from '@maestro/ports';
import type { Item, QueueId, RouteParsed, Routes, Session, Turn, TurnId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { failedNotice, notice } from '../turn/notice.ts';
import type { TurnEnd } from '../turn/turn-end.ts';
import { closeOpen } from './crash-change.ts';
import { delivered, type Incoming } from './messages.ts';

type Patch = RouteParsed<Routes['patchSession']>['body'];

/** Title of a session that nobody has named; its first message names it. */
export const untitledSession = 'New session';

/** Longest title made from a message, UTF-16 units. */
const titleLength = 60;

/** A turn runs, from its beginning or after `steps` finished ones. It wakes a session that was put away. */
export const runningChange = (turn_id: TurnId, steps: number): Change => ({
  turn: { id: turn_id, status: 'running', cause: null, reason: null, steps },
  session: { status: 'running', waiting_for: null, archived: false },
});

/** A turn that begins with messages; `dequeue`: those of them that waited. */
export const startChange = (
  session: Session,
  messages: readonly Incoming[],
  dequeue: readonly QueueId[],
): { turn_id: TurnId; change: Change } => {
  const turn_id = newId<TurnId>('trn');
  const { items, rows } = delivered(messages, turn_id);
  const running = runningChange(turn_id, 0);
  const change: Change = {
    ...running,
    items,
    ...(dequeue.length > 0 ? { queue: { remove: dequeue } } : {}),
    session: { ...running.session, ...firstWords(session, messages) },
    messages: rows,
  };
  return { turn_id, change };
};

/** A turn goes on where it was stopped. */
export const resumeChange = ({ id, steps }: Pick<Turn, 'id' | 'steps'>): Change => ({
  items: [notice(id, { code: 'turn_resumed', level: 'info', text: 'Resumed from the last finished step.' })],
  ...runningChange(id, steps),
});

/**
 * What a turn's end writes: its row, the session's state and, where it did not end well, a line that says why.
 * `open`: items that a fault left under way; they end with it.
 */
export const endChange = (turn_id: TurnId, end: TurnEnd, open: readonly Item[]): Change => {
  const closed = closeOpen(open, 'The turn ended before this call was started.');
  return {
    items: [...closed.items, ...endNotices(turn_id, end)],
    turn: turnOf(turn_id, end),
    session: { status: end.status === 'failed' ? 'failed' : 'idle', waiting_for: null },
    messages: closed.messages,
  };
};

export const turnOf = (id: TurnId, { status, cause, reason, steps }: TurnEnd): TurnWrite => ({
  id,
  status,
  cause,
  reason,
  steps,
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
const firstWords = (session: Session, messages: readonly Incoming[]): { preview: string; title?: string } => {
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
