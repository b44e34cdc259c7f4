import type { Log, SessionEvent } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import type { RemoteEvent } from '../live/elsewhere.ts';
import type { Post } from './post.ts';
import type { Roster } from './roster.ts';

/** Events to another server leave at once after a pause, else this often, ms. */
const TICK_MS = 4;
/** Above this many bytes on their way to Redis nothing is added: followers catch up from the database later. */
const MOST_UNSENT = 8 * 1024 * 1024;
/** Sessions written longer ago than this are no longer named in beats, and their cards not told again, ms. */
const RECENT_MS = 10_000;

/** What waits for one server. Deltas that follow each other become one. */
class Outbox {
  #events: RemoteEvent[] = [];
  readonly #deltas = new Map<string, number>();

  add(next: RemoteEvent): void {
    const { event } = next;
    if (event.kind === 'item') this.#deltas.delete(event.data.id);
    if (event.kind !== 'delta') {
      this.#events.push(next);
      return;
    }
    const at = this.#deltas.get(event.data.item);
    const held = at === undefined ? undefined : this.#events[at]?.event;
    if (at !== undefined && held?.kind === 'delta' && held.data.field === event.data.field) {
      const text = held.data.text + event.data.text;
      if (held.data.off + held.data.text.length === event.data.off) {
        this.#events[at] = { event: { ...held, data: { ...held.data, text } } };
        return;
      }
    }
    this.#deltas.set(event.data.item, this.#events.push(next) - 1);
  }

  take(): RemoteEvent[] {
    const all = this.#events;
    this.#events = [];
    this.#deltas.clear();
    return all;
  }
}

/** Sends what happens here to the servers where somebody looks at it. Never waits, never throws. */
export interface Spread {
  /** The events with the seq before each in its session, so that a follower sees what it missed. In the order of `seq`. */
  traced(events: readonly SessionEvent[]): RemoteEvent[];
  send(events: readonly RemoteEvent[]): void;
  /**
   * The cards that changed lately, to a server that has just begun to follow them: it may have read its list before a
   * change, and have been heard of after it.
   */
  retellCards(server: string): void;
  reset(stream: string, reason: 'branch' | 'epoch'): void;
  /** The newest seq of each session that was written lately. */
  heads(): Record<string, number>;
  /** true, once: something could not be sent since the last call. */
  missed(): boolean;
  close(): void;
}

export const createSpread = (deps: {
  readonly roster: Roster;
  readonly post: Post;
  readonly isUp: () => boolean;
  readonly log: Log;
  readonly now: () => number;
  /** A server that followed something here took nothing. */
  readonly unheard: (server: string) => void;
}): Spread => {
  const { roster, post, log, now } = deps;
  const outboxes = new Map<string, Outbox>();
  const heads = new Map<string, { seq: number; at: number }>();
  const cards = new Map<SessionId, { remote: RemoteEvent; at: number }>();
  let flushed = 0;
  let planned = false;
  let missed = false;
  let closed = false;

  const mail = (server: string, content: Parameters<Post['send']>[1]): void => {
    if (!deps.isUp() || post.unsent() > MOST_UNSENT) {
      missed = true;
      return;
    }
    post.send(server, content).then(
      (takers) => {
        // Gone, or back in a moment: then it says so itself.
        if (takers === 0) deps.unheard(server);
      },
      (error: unknown) => {
        missed = true;
        log.info('cluster.not_sent', { server, reason: String(error) });
      },
    );
  };

  const flush = (): void => {
    planned = false;
    if (closed) return;
    flushed = now();
    for (const [server, outbox] of outboxes) {
      const events = outbox.take();
      if (events.length > 0) mail(server, { type: 'events', events });
      else outboxes.delete(server);
    }
  };

  const plan = (): void => {
    if (planned) return;
    planned = true;
    const wait = TICK_MS - (now() - flushed);
    if (wait <= 0) setImmediate(flush);
    else setTimeout(flush, wait);
  };

  const put = (server: string, remote: RemoteEvent): void => {
    const outbox = outboxes.get(server) ?? new Outbox();
    outboxes.set(server, outbox);
    outbox.add(remote);
    plan();
  };

  /** The seq before this one in its session: of what this server wrote, else the one below it. */
  const previous = (event: SessionEvent): number | undefined => {
    if (!('seq' in event)) return undefined;
    const before = heads.get(event.stream)?.seq ?? event.seq - 1;
    heads.set(event.stream, { seq: event.seq, at: now() });
    return before;
  };

  return {
    traced: (events) =>
      events.map((event) => {
        const prev = previous(event);
        return prev === undefined ? { event } : { event, prev };
      }),
    send: (events) => {
      for (const remote of events) {
        const { stream } = remote.event;
        // Figures and providers are of each server its own; the rest is in the database.
        if (stream === 'server') continue;
        if (remote.event.kind === 'card') cards.set(remote.event.data.id, { remote, at: now() });
        for (const server of roster.followersOf(stream)) put(server, remote);
      }
    },
    retellCards: (server) => {
      const recent = now() - RECENT_MS;
      for (const { remote, at } of cards.values()) if (at >= recent) put(server, remote);
    },
    reset: (stream, reason) => {
      const followers = [...roster.followersOf(stream)];
      if (followers.length === 0) return;
      flush();
      for (const server of followers) mail(server, { type: 'reset', stream, reason });
    },
    heads: () => {
      // What waits goes first, or the beat would look like a gap.
      flush();
      const recent = now() - RECENT_MS;
      for (const [stream, { at }] of heads) if (at < recent) heads.delete(stream);
      for (const [id, { at }] of cards) if (at < recent) cards.delete(id);
      return Object.fromEntries([...heads].map(([stream, { seq }]) => [stream, seq]));
    },
    missed: () => {
      const was = missed;
      missed = false;
      return was;
    },
    close: () => {
      flush();
      closed = true;
    },
  };
};
