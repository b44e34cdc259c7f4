import { createHash } from 'node:crypto';
import type { Log, Publisher, Realtime, SessionStore } from '@maestro/ports';
import { type Item, type ServerFacts, SessionId } from '@maestro/protocol';
import type { Elsewhere } from '../live/elsewhere.ts';
import type { Hub } from '../live/hub.ts';
import { createAsks } from './asks.ts';
import { type ClusterEngine, createClusterEngine, type LocalEngine } from './cluster-engine.ts';
import { type Commands, runCommand } from './commands.ts';
import type { Answer, Ask, Message, Shared } from './messages.ts';
import { createPost } from './post.ts';
import { Roster } from './roster.ts';
import { createSpread } from './spread.ts';

/** How often a server says that it is there, ms … */
const BEAT_MS = 2_000;
/** … and how long it counts as there without a word. */
const PRESENT_MS = 3.2 * BEAT_MS;
/** Several reasons to catch up within this time are one, ms. */
const CATCH_UP_MS = 50;
/** How long a stop waits for the word of it to leave, ms: the others find out by themselves. */
const LEAVE_MS = 500;
/** How long it is looked for what a server that is not heard holds, ms. */
const MUTE_MS = 600_000;
/** What streams is among the newest items of a session. */
const NEWEST_ITEMS = 20;

/** One of several servers on one database. */
export interface Cluster {
  readonly engine: ClusterEngine;
  /** Where this server's engine tells what happened: its own hub, and the servers where somebody looks at it. */
  readonly publisher: Publisher;
  /** For the hub. */
  readonly elsewhere: Elsewhere;
  /** Begins to talk to the others. */
  start(): Promise<void>;
  facts(): ServerFacts['cluster'];
  /** Says good-bye; the others let these sessions go on. */
  leave(atWork: readonly SessionId[]): Promise<void>;
}

export interface ClusterDeps {
  readonly realtime: Realtime;
  /** Our name in leases. */
  readonly me: string;
  readonly sessions: Pick<SessionStore, 'holder' | 'heldBy' | 'get' | 'epoch' | 'snapshot'>;
  readonly local: () => LocalEngine & { takeOver(id: SessionId): Promise<boolean> };
  readonly hub: () => Hub;
  readonly lease_ms: number;
  /** Names the vault's key without giving it away: all servers need the same. */
  readonly key: string;
  readonly log: Log;
  /** Another server has changed what all share: tell this server's own clients. */
  readonly changedElsewhere: (what: Shared) => void;
}

export const createCluster = (deps: ClusterDeps): Cluster => {
  const { realtime, me, sessions, log } = deps;
  const prefix = `maestro:${sessions.epoch()}`;
  const now = (): number => performance.now();
  const isUp = (): boolean => realtime.state() === 'up';
  const roster = new Roster(PRESENT_MS);
  const post = createPost({ realtime, prefix, me, log });
  const unheard = (server: string): void => {
    roster.leave(server);
    mute.set(server, now() + MUTE_MS);
    // Its last words may have been lost.
    catchUp();
  };
  const spread = createSpread({ roster, post, isUp, log, now, unheard });
  let beating: NodeJS.Timeout | undefined;
  let catching: NodeJS.Timeout | undefined;
  let left = false;
  const otherKeys = new Set<string>();
  /** Servers that are not heard and may be at work (cut off from Redis alone), and until when that is looked for. */
  const mute = new Map<string, number>();
  let heldByMute: readonly SessionId[] = [];

  const compareKeys = (server: string, key: string): void => {
    if (key === deps.key || otherKeys.has(server)) return;
    otherKeys.add(server);
    log.error('cluster.another_key', {
      server,
      message:
        'This server has another ENCRYPTION_KEY: neither can open the keys that the other saves. Set the same on all.',
    });
  };

  const serve = async (from: string, ask: Ask): Promise<Answer> => {
    const local = deps.local();
    if (ask.type === 'live') {
      if (!local.isHere(ask.session)) return { type: 'not_here' };
      if (ask.follow) roster.follow(from, `session:${ask.session}`, true, now());
      return { type: 'live', items: local.live(ask.session) };
    }
    if (!(await local.holds(ask.session))) return { type: 'not_here' };
    const commands: Commands = local;
    return { type: 'done', result: await runCommand(commands, ask.name, ask.input) };
  };
  const asks = createAsks({ post, isUp, log, serve });

  const engine = createClusterEngine({
    local: deps.local,
    sessions,
    asks,
    me,
    lease_ms: deps.lease_ms,
    now,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    untold: (owner) => mute.set(owner, now() + MUTE_MS),
    hasLeft: () => left,
  });

  const beat = (hello: boolean, missed: boolean): void => {
    if (left || !isUp()) return;
    const follows = deps.hub().followed();
    void post.tell({ type: 'beat', follows, heads: spread.heads(), key: deps.key, hello, missed });
    realtime
      .set(`${prefix}:presence:${me}`, JSON.stringify({ follows }), PRESENT_MS)
      .catch((error: unknown) => log.info('cluster.presence', { reason: String(error) }));
  };

  /** Whatever others may have told in vain is read from the database. */
  const catchUp = (): void => {
    catching ??= setTimeout(() => {
      catching = undefined;
      if (left) return;
      const hub = deps.hub();
      // The stream `server` follows the others' word again as soon as there is one.
      for (const stream of hub.followed())
        if (!isOurs(stream) && (isUp() || stream !== 'server')) hub.catchUp(stream);
    }, CATCH_UP_MS);
  };
  const isOurs = (stream: string): boolean => {
    const id = SessionId.safeParse(stream.replace(/^session:/, ''));
    return id.success && deps.local().isHere(id.data);
  };

  /** What is followed here of servers that nobody hears is read from the database, as long as they hold sessions. */
  const readOfMute = async (): Promise<void> => {
    for (const [server, until] of mute) if (until < now()) mute.delete(server);
    const held = await sessions.heldBy([...mute.keys()]);
    const changed = new Set([...held, ...heldByMute].map((id) => `session:${id}`));
    heldByMute = held;
    if (changed.size === 0 || left) return;
    const hub = deps.hub();
    for (const stream of hub.followed())
      if (stream === 'sessions' || changed.has(stream)) hub.catchUp(stream);
  };

  const tend = (): void => {
    if (!isUp()) {
      // Nobody can tell us: the database can.
      catchUp();
      return;
    }
    for (const server of roster.expired(now())) unheard(server);
    beat(false, post.unsent() === 0 && spread.missed());
    if (mute.size > 0)
      readOfMute().catch((error: unknown) => log.info('cluster.mute', { reason: String(error) }));
  };

  /** Where nobody tells what streams: what was saved of it, about a second old. */
  const textAtRest = async (id: SessionId): Promise<readonly Item[] | undefined> => {
    if (deps.local().isHere(id)) return undefined;
    const last = await sessions.snapshot(id, NEWEST_ITEMS).catch(() => undefined);
    return last?.items.filter(({ status }) => status === 'streaming' || status === 'running');
  };

  /** The one server that is to go on with a session: each finds the same one without a word. */
  const isMine = (id: SessionId): boolean => {
    const weight = (server: string): string => createHash('sha1').update(`${server} ${id}`).digest('hex');
    const mine = weight(me);
    return roster.servers().every((server) => weight(server) < mine);
  };

  const take = (message: Message): void => {
    const hub = deps.hub();
    mute.delete(message.from);
    switch (message.type) {
      case 'beat':
        compareKeys(message.from, message.key);
        if (roster.beat(message.from, message.follows, now()).includes('sessions'))
          spread.retellCards(message.from);
        for (const [stream, seq] of Object.entries(message.heads)) hub.catchUp(stream, seq);
        if (message.missed) catchUp();
        if (message.hello) beat(false, false);
        return;
      case 'follow':
        roster.follow(message.from, message.stream, message.on, now());
        if (message.on && message.stream === 'sessions') spread.retellCards(message.from);
        return;
      case 'leave':
        roster.leave(message.from);
        for (const id of message.sessions) if (isMine(id)) goOn(id, message.from);
        return;
      case 'events':
        hub.receive(message.events);
        return;
      case 'changed':
        deps.changedElsewhere(message.what);
        return;
      case 'reset':
        hub.reset(message.stream, message.reason);
        return;
      case 'ask':
        asks.asked(message.from, message.id, message.ask);
        return;
      case 'answer':
        asks.answered(message.id, message.answer);
    }
  };

  const goOn = (id: SessionId, from: string): void => {
    deps
      .local()
      .takeOver(id)
      .then((taken) => log.info('cluster.taken_over', { session: id, from, taken }))
      .catch((error: unknown) => log.error('cluster.take_over', { session: id, error: String(error) }));
  };

  return {
    engine,
    publisher: {
      publish: (events) => {
        // Our own followers too: the owner before may have died before it told all it had written.
        const traced = spread.traced(events);
        deps.hub().receive(traced);
        spread.send(traced);
        if (events.some(({ kind }) => kind === 'credential'))
          void post.tell({ type: 'changed', what: 'credentials' });
        if (events.some(({ kind }) => kind === 'login')) void post.tell({ type: 'changed', what: 'logins' });
        if (events.some(({ kind }) => kind === 'tool')) void post.tell({ type: 'changed', what: 'tools' });
      },
      reset: (stream, reason) => {
        deps.hub().reset(stream, reason);
        spread.reset(stream, reason);
      },
    },
    elsewhere: {
      followed: (stream) => void post.tell({ type: 'follow', stream, on: true }),
      left: (stream) => void post.tell({ type: 'follow', stream, on: false }),
      join: async (id) =>
        (await engine.theirs(id, true)) ?? (isUp() && mute.size === 0 ? undefined : textAtRest(id)),
    },
    start: async () => {
      await post.open(take);
      realtime.onState((state) => {
        if (state === 'down') return;
        beat(true, true);
        catchUp();
      });
      beating = setInterval(tend, BEAT_MS);
      beat(true, false);
    },
    facts: () => ({ servers: roster.servers().length + 1, redis: isUp() ? 'ok' : 'down' }),
    leave: async (atWork) => {
      if (left) return;
      clearInterval(beating);
      clearTimeout(catching);
      spread.close();
      const told = post.tell({ type: 'leave', sessions: atWork });
      await Promise.race([told, new Promise((resolve) => setTimeout(resolve, LEAVE_MS).unref())]);
      left = true;
      asks.close();
    },
  };
};
