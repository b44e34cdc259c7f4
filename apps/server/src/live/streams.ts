import type { Engine, Log, SessionEvent, SessionStore } from '@maestro/ports';
import type {
  ClientFrame,
  Credential,
  LoginFlow,
  ProviderFacts,
  ServerFrame,
  Stats,
  ToolFacts,
} from '@maestro/protocol';
import type { Elsewhere, RemoteEvent } from './elsewhere.ts';
import { Encoded } from './encoded.ts';
import type { HubLimits } from './limits.ts';
import { type Start, startSession } from './replay.ts';
import type { LiveSocket } from './socket.ts';
import { type Subscription, streamOf } from './subscription.ts';

/** Where the stream `server` gets its facts. */
export interface ServerFeed {
  stats(): Stats;
  credentials(): Promise<Credential[]>;
  /** Under way, and those that ended lately. */
  logins(): Promise<LoginFlow[]>;
  tools(): Promise<ToolFacts[]>;
  /** What is known now; may take a while when nothing is. */
  providers(): Promise<ProviderFacts[]>;
}

export interface HubDeps {
  /** Asked when it is needed: the engine publishes to the hub, so it is made after it. */
  readonly engine: () => Pick<Engine, 'changes' | 'live'>;
  readonly sessions: Pick<SessionStore, 'get' | 'list' | 'epoch'>;
  readonly server: ServerFeed;
  /** Where several servers share the database. */
  readonly elsewhere?: Elsewhere;
  readonly version: string;
  readonly log: Log;
  readonly limits?: Partial<HubLimits>;
}

export type ResetReason = Extract<ServerFrame, { op: 'reset' }>['reason'];

/** Who listens to what, and the way of an event to them. */
export interface Streams {
  publish(events: readonly SessionEvent[]): void;
  /** Events of sessions that other servers own. A gap ends in a catch-up. */
  receive(events: readonly RemoteEvent[]): void;
  /** Streams that have followers here. */
  followed(): string[];
  /** Reads what followers of a stream may have missed; with `seq` only where that is more than they know of. */
  catchUp(stream: string, seq?: number): void;
  subscribe(socket: LiveSocket, frame: Extract<ClientFrame, { op: 'sub' }>): void;
  unsubscribe(socket: LiveSocket, frame: Extract<ClientFrame, { op: 'unsub' }>): void;
  /** The subscription ends; the client takes the snapshot and subscribes again. */
  reset(sub: Subscription, reason: ResetReason): void;
  /** The same for everybody who follows a stream. */
  resetAll(stream: string, reason: ResetReason): void;
  /** Ends all subscriptions of a socket. */
  forget(socket: LiveSocket): void;
  close(): void;
}

export const createStreams = (deps: HubDeps, limits: HubLimits): Streams => {
  const { log, sessions, server } = deps;
  const byStream = new Map<string, Set<Subscription>>();
  const waiting = new Set<LiveSocket>();
  let tick: NodeJS.Timeout | undefined;
  let stats: NodeJS.Timeout | undefined;
  /** How often providers were told of to those who listened. */
  let toldOfProviders = 0;

  /** Gives the sockets a frame now where they have one free, else with the next tick. */
  const settle = (touched: Iterable<LiveSocket>): void => {
    for (const socket of touched) if (!socket.settle()) waiting.add(socket);
    if (waiting.size === 0 || tick) return;
    tick = setTimeout(() => {
      tick = undefined;
      const due = [...waiting];
      waiting.clear();
      for (const socket of due) socket.tick();
    }, limits.tick_ms);
  };

  const receive = (events: readonly RemoteEvent[]): void => {
    const touched = new Set<LiveSocket>();
    for (const { event, prev } of events) {
      const subs = byStream.get(event.stream);
      if (!subs) continue;
      if (event.kind === 'provider') toldOfProviders += 1;
      const encoded = new Encoded(event, prev);
      for (const sub of subs) {
        if (prev !== undefined && prev > sub.head) again(sub);
        sub.socket.add(sub, encoded);
        touched.add(sub.socket);
      }
    }
    settle(touched);
  };
  const publish = (events: readonly SessionEvent[]): void => receive(events.map((event) => ({ event })));

  /** Sends a follower what it missed, from the database, and goes on. */
  const again = (sub: Subscription): void => {
    // One that is being sent rows sees the gap by itself; a slow one starts anew anyway.
    if (sub.state !== 'live' || sub.dirty) return;
    sub.socket.flush();
    sub.state = 'replaying';
    begin(sub, { after: sub.sent });
  };

  const end = (sub: Subscription): void => {
    sub.state = 'ended';
    sub.waiting = [];
    if (sub.socket.subscriptions.get(sub.stream) === sub) sub.socket.subscriptions.delete(sub.stream);
    const subs = byStream.get(sub.stream);
    subs?.delete(sub);
    if (subs?.size === 0 && byStream.delete(sub.stream)) deps.elsewhere?.left(sub.stream);
    if (!byStream.has('server')) {
      clearInterval(stats);
      stats = undefined;
    }
  };

  const reset = (sub: Subscription, reason: ResetReason): void => {
    end(sub);
    sub.socket.control({ op: 'reset', stream: sub.name, reason });
  };

  const goLive = (sub: Subscription): void => {
    sub.state = 'live';
    for (const encoded of sub.waiting) sub.socket.add(sub, encoded);
    sub.waiting = [];
    sub.socket.control({ op: 'subbed', stream: sub.name, epoch: sessions.epoch(), seq: 0, live: [] });
  };

  /** All cards, archived ones too, then live: of each card the latest counts. */
  const startCards = async (sub: Subscription): Promise<Start> => {
    for (const archived of [false, true]) {
      let before: string | undefined;
      do {
        const page = await sessions.list({
          limit: 200,
          archived,
          ...(before === undefined ? {} : { before }),
        });
        const cards: Encoded[] = page.cards.map(
          (data) => new Encoded({ stream: 'sessions', kind: 'card', data }),
        );
        // What was published meanwhile is newer than the page.
        sub.waiting.unshift(...cards);
        before = page.next ?? undefined;
      } while (before !== undefined && sub.state !== 'ended');
    }
    if (sub.state !== 'ended') goLive(sub);
    return { type: 'live' };
  };

  const startServer = async (sub: Subscription): Promise<Start> => {
    const [credentials, logins, tools] = await Promise.all([
      server.credentials(),
      server.logins(),
      server.tools(),
    ]);
    if (sub.state === 'ended') return { type: 'live' };
    sub.waiting.unshift(
      new Encoded({ stream: 'server', kind: 'credential', data: credentials }),
      new Encoded({ stream: 'server', kind: 'login', data: logins }),
      new Encoded({ stream: 'server', kind: 'tool', data: tools }),
      new Encoded({ stream: 'server', kind: 'stats', data: server.stats() }),
    );
    goLive(sub);
    stats ??= setInterval(
      () => publish([{ stream: 'server', kind: 'stats', data: server.stats() }]),
      limits.stats_ms,
    );
    const told = toldOfProviders;
    server
      .providers()
      .then((data) => {
        // What was told meanwhile is newer.
        if (told !== toldOfProviders) return;
        sub.socket.add(sub, new Encoded({ stream: 'server', kind: 'provider', data }));
        settle([sub.socket]);
      })
      .catch((error: unknown) => log.error('live.providers', { error: String(error) }));
    return { type: 'live' };
  };

  const start = (sub: Subscription, from: { epoch?: string; after?: number }): Promise<Start> => {
    if (sub.stream === 'sessions') return startCards(sub);
    if (sub.stream === 'server') return startServer(sub);
    const { engine, elsewhere } = deps;
    return startSession(sub, from, { engine, sessions, limits, ...(elsewhere ? { elsewhere } : {}) });
  };

  const subscribe = (socket: LiveSocket, frame: Extract<ClientFrame, { op: 'sub' }>): void => {
    const stream = streamOf(frame.stream);
    const held = socket.subscriptions.get(stream);
    socket.flush();
    if (held) end(held);
    if (socket.subscriptions.size >= limits.subscriptions) {
      const message = `stream: more than ${limits.subscriptions} subscriptions on one socket`;
      socket.control({ op: 'error', code: 'overloaded', message, stream: frame.stream });
      return;
    }
    const sub: Subscription = {
      socket,
      stream,
      name: frame.stream,
      level: frame.level ?? 'full',
      state: 'replaying',
      waiting: [],
      elsewhere: false,
      sent: 0,
      head: 0,
      dirty: false,
    };
    socket.subscriptions.set(stream, sub);
    const subs = byStream.get(stream);
    if (subs) subs.add(sub);
    else {
      byStream.set(stream, new Set([sub]));
      deps.elsewhere?.followed(stream);
    }
    begin(sub, frame);
  };

  const begin = (sub: Subscription, from: { epoch?: string; after?: number }): void => {
    const { socket, stream } = sub;
    start(sub, from)
      .then((started) => {
        if (sub.state === 'ended' || started.type === 'live') return;
        if (started.type === 'reset') {
          reset(sub, started.reason);
          return;
        }
        end(sub);
        const { code, message } = started;
        socket.control({ op: 'error', code, message, stream: sub.name });
      })
      .catch((error: unknown) => {
        log.error('live.subscribe', { stream, error: String(error) });
        if (sub.state === 'ended') return;
        end(sub);
        const message = 'The server cannot read this stream now. Subscribe again in a moment.';
        socket.control({ op: 'error', code: 'unavailable', message, stream: sub.name });
      });
  };

  const resetAll = (stream: string, reason: ResetReason): void => {
    for (const sub of [...(byStream.get(stream) ?? [])]) {
      sub.socket.flush();
      reset(sub, reason);
    }
  };

  return {
    publish,
    receive,
    followed: () => [...byStream.keys()],
    catchUp: (stream, seq) => {
      if (!stream.startsWith('session:')) {
        resetAll(stream, 'gap');
        return;
      }
      for (const sub of byStream.get(stream) ?? []) if (seq === undefined || sub.head < seq) again(sub);
    },
    subscribe,
    unsubscribe: (socket, frame) => {
      const sub = socket.subscriptions.get(streamOf(frame.stream));
      if (sub) end(sub);
    },
    reset,
    resetAll,
    forget: (socket) => {
      for (const sub of socket.subscriptions.values()) end(sub);
      waiting.delete(socket);
    },
    close: () => {
      clearTimeout(tick);
      clearInterval(stats);
    },
  };
};
