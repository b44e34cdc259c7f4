import type { Changes, Engine, SessionEvent, SessionStore } from '@maestro/ports';
import { SessionId } from '@maestro/protocol';
import type { Elsewhere } from './elsewhere.ts';
import { Encoded } from './encoded.ts';
import type { HubLimits } from './limits.ts';
import { eventText } from './socket.ts';
import type { Subscription } from './subscription.ts';

/** How a subscription began: it follows live events now, the client must take the snapshot, or there is no such thing. */
export type Start =
  | { type: 'live' }
  | { type: 'reset'; reason: 'gap' | 'epoch' | 'branch' }
  | { type: 'refused'; code: 'not_found' | 'invalid'; message: string };

export interface ReplaySource {
  readonly engine: () => Pick<Engine, 'changes' | 'live'>;
  readonly elsewhere?: Pick<Elsewhere, 'join'>;
  readonly sessions: Pick<SessionStore, 'get' | 'epoch'>;
  readonly limits: HubLimits;
}

/** The rows of a page as events, in the order of `seq`; the session and its queue with the last one. */
const eventsOf = (stream: string, changes: Changes, level: Subscription['level']): SessionEvent[] => {
  const items = level === 'full' ? changes.items : [];
  const events: Extract<SessionEvent, { seq: number }>[] = [
    ...items.map((data) => ({ stream, kind: 'item' as const, seq: data.seq, data })),
    ...changes.turns.map((data) => ({ stream, kind: 'turn' as const, seq: data.seq, data })),
  ];
  events.sort((a, b) => a.seq - b.seq);
  if (!changes.complete) return events;
  if (level === 'full') events.push({ stream, kind: 'queue', seq: changes.seq, data: [...changes.queue] });
  events.push({ stream, kind: 'session', seq: changes.seq, data: changes.session });
  return events;
};

/**
 * Sends all rows above the client's cursor, page by page, at the reader's pace, while live events wait. Then those,
 * and the streaming items as they are: all in one turn of the event loop, so that no delta falls between. Of a session
 * owned elsewhere the streaming items are asked first, and the deltas that come meanwhile follow them.
 */
export const startSession = async (
  sub: Subscription,
  from: { epoch?: string | undefined; after?: number | undefined },
  source: ReplaySource,
): Promise<Start> => {
  const { engine, elsewhere, sessions } = source;
  const parsed = SessionId.safeParse(sub.stream.slice('session:'.length));
  if (!parsed.success)
    return { type: 'refused', code: 'invalid', message: `stream: not a session's id: ${sub.name}` };
  const id = parsed.data;
  const epoch = sessions.epoch();
  if (from.epoch !== undefined && from.epoch !== epoch) return { type: 'reset', reason: 'epoch' };

  sub.elsewhere = elsewhere !== undefined;
  const theirs = await elsewhere?.join(id);
  if (!theirs) sub.elsewhere = false;

  if (from.after === undefined) {
    const session = await sessions.get(id);
    if (!session) return gone(id);
    sub.sent = session.seq;
  } else {
    sub.sent = from.after;
    const end = await sendRows(sub, id, source);
    if (end) return end;
  }
  for (let rounds = 0; hasGap(sub); rounds += 1) {
    if (rounds === 3) return { type: 'reset', reason: 'gap' };
    const end = await sendRows(sub, id, source);
    if (end) return end;
  }

  if (sub.state === 'ended') return { type: 'live' };
  sub.state = 'live';
  const isDelta = ({ event }: Encoded): boolean => event.kind === 'delta';
  const { waiting } = sub;
  sub.waiting = [];
  for (const encoded of waiting) if (!isDelta(encoded)) sub.socket.add(sub, encoded);
  sub.head = Math.max(sub.head, sub.sent);
  sub.socket.control({
    op: 'subbed',
    stream: sub.name,
    epoch,
    seq: sub.sent,
    live: sub.level === 'full' ? [...(theirs ?? engine().live(id))] : [],
  });
  if (theirs) for (const encoded of waiting) if (isDelta(encoded)) sub.socket.add(sub, encoded);
  return { type: 'live' };
};

const gone = (id: SessionId): Start => ({
  type: 'refused',
  code: 'not_found',
  message: `There is no session "${id}".`,
});

/** true: an event that waits follows one that never came (it was lost between two servers). */
const hasGap = (sub: Subscription): boolean => {
  let head = sub.sent;
  for (const { event, prev } of sub.waiting) {
    if (!('seq' in event)) continue;
    if (prev !== undefined && prev > head) return true;
    head = Math.max(head, event.seq);
  }
  return false;
};

/** Sends all rows above `sub.sent`. Answers how the subscription ends where it cannot go on. */
const sendRows = async (
  sub: Subscription,
  id: SessionId,
  { engine, sessions, limits }: ReplaySource,
): Promise<Start | undefined> => {
  const from = sub.sent;
  const epoch = sessions.epoch();
  let cursor = from;
  let rows = 0;
  for (;;) {
    const changes = await engine().changes(id, cursor, limits.replay_page);
    if (sub.state === 'ended') return { type: 'live' };
    if (!changes) return gone(id);
    if (changes.epoch !== epoch || changes.seq < cursor) return { type: 'reset', reason: 'epoch' };
    // Below it the client holds the items of another branch; a new session's first branch is as old as itself.
    if (from > 0 && from < changes.branch_seq) return { type: 'reset', reason: 'branch' };
    rows += changes.items.length + changes.turns.length;
    if (rows > limits.replay_rows) return { type: 'reset', reason: 'gap' };
    if (changes.seq > cursor) await sendPage(sub, changes);
    if (changes.complete) return undefined;
    const last = Math.max(cursor, ...[...changes.items, ...changes.turns].map((row) => row.seq));
    if (last === cursor) throw new Error(`the changes of ${id} above ${cursor} do not end`);
    cursor = last;
  }
};

const sendPage = async (sub: Subscription, changes: Changes): Promise<void> => {
  const texts: string[] = [];
  for (const event of eventsOf(sub.stream, changes, sub.level)) {
    if (!('seq' in event)) continue;
    texts.push(eventText(sub, new Encoded(event).body(), sub.sent));
    sub.sent = event.seq;
  }
  if (texts.length > 0) await sub.socket.sendEvents(texts);
};
