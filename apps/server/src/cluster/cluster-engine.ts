import { withLiveText } from '@maestro/engine';
import { type Engine, fail, type Holder, type Result, type SessionStore } from '@maestro/ports';
import {
  type ConversationId,
  type Item,
  type ItemId,
  newId,
  type SessionId,
  type TurnId,
} from '@maestro/protocol';
import type { Asks } from './asks.ts';
import {
  type CommandInput,
  type CommandName,
  type Commands,
  type CommandValue,
  resultOf,
} from './commands.ts';

/** How long an owner has for a command before it is asked again (it remembers), ms. */
const ANSWER_MS = 3_000;
/** How long an owner has to tell the text that streams; the database has what is at most about a second older. */
const TEXT_MS = 1_000;
/** A lease whose end moved by more than this was renewed, ms. */
const RENEWED_MS = 500;
/** How often it is looked whether a session can be taken, ms. */
const LOOK_MS = 200;

/** This server's own sessions. */
export interface LocalEngine extends Engine {
  holds(id: SessionId): Promise<boolean>;
  /** true: this server holds it; nothing is taken. */
  isHere(id: SessionId): boolean;
}

export interface ClusterEngineDeps {
  /** Made after this: it tells the others what happens. */
  readonly local: () => LocalEngine;
  readonly sessions: Pick<SessionStore, 'holder' | 'get'>;
  readonly asks: Pick<Asks, 'ask'>;
  readonly me: string;
  /** How long a lease holds: after that a dead owner's session is ours to take. */
  readonly lease_ms: number;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** The server that holds a session did not say what streams there. */
  readonly untold: (owner: string) => void;
  /** true: this server has left the others. */
  readonly hasLeft: () => boolean;
}

export interface ClusterEngine extends Engine {
  /** The streaming items of a session of another server. undefined: nobody else owns it. Never rejects. */
  theirs(id: SessionId, follow: boolean): Promise<readonly Item[] | undefined>;
}

const unreachable = (): Result<never> =>
  fail('unavailable', 'The server that holds this session does not answer. Try again in a few seconds.', {
    retry_after_s: 5,
  });

const unanswered = (): Result<never> =>
  fail(
    'unavailable',
    'The server that holds this session was given this and does not answer. Look whether it was done before you try again.',
    { retry_after_s: 5 },
  );

/**
 * The engine of all servers together. A command for a session held elsewhere runs there; where its owner is gone it runs
 * here, once the lease has lapsed. What is read comes from the database, with the text that streams asked from the owner.
 */
export const createClusterEngine = (deps: ClusterEngineDeps): ClusterEngine => {
  const { local, sessions, asks, me } = deps;

  const command = async <K extends CommandName>(
    name: K,
    ...input: CommandInput[K]
  ): Promise<Result<CommandValue[K]>> => {
    const here = local();
    const commands: Commands = here;
    const session = input[0];
    // The owner knows a repeated question by it.
    const id = newId('ask');
    const from = deps.now();
    const giveUp = from + deps.lease_ms + 2 * ANSWER_MS;
    let begun = false;
    let seen: Holder | undefined;
    for (;;) {
      // An owner before may have done it: with the same id nothing is done twice.
      if (await here.holds(session)) {
        const done = await commands[name](...input);
        // Taken from us while this process stood still: nothing was done here, so it is for the one that has it now.
        if (done.ok || done.error.code !== 'busy' || here.isHere(session)) return done;
        if (deps.now() > giveUp) return done;
      }
      const holder = await sessions.holder(session);
      // Nobody holds it and we could not take it: it is not there, or we are shutting down. The engine has the words.
      if (!holder && !(await sessions.get(session))) return commands[name](...input);
      if (deps.hasLeft()) return commands[name](...input);
      let isAbsent = true;
      if (holder && holder.owner !== me) {
        const reply = await asks.ask(holder.owner, id, { type: 'command', session, name, input }, ANSWER_MS);
        if (reply.type === 'done') return resultOf(name, reply.result);
        if (reply.type === 'silent') begun = true;
        isAbsent = reply.type === 'absent';
      }
      const now = deps.now();
      if (holder && holder.owner !== seen?.owner) seen = holder;
      const isRenewed = holder && seen && holder.lapses_at_ms > seen.lapses_at_ms + RENEWED_MS;
      // An owner that renews its lease lives: it is not reached, and waiting for its session is in vain.
      const isCutOff = isAbsent && isRenewed && now > from + ANSWER_MS;
      if (now > giveUp || isCutOff) return begun ? unanswered() : unreachable();
      await deps.wait(Math.min(LOOK_MS, Math.max(10, holder?.lapses_in_ms ?? 0)));
    }
  };

  const theirs = async (id: SessionId, follow: boolean): Promise<readonly Item[] | undefined> => {
    if (local().isHere(id)) return undefined;
    const holder = await sessions.holder(id).catch(() => undefined);
    if (!holder || holder.owner === me) return undefined;
    const reply = await asks.ask(holder.owner, newId('ask'), { type: 'live', session: id, follow }, TEXT_MS);
    if (reply.type === 'live') return reply.items;
    if (reply.type !== 'not_here') deps.untold(holder.owner);
    return undefined;
  };

  return {
    create: (body) => local().create(body),
    patch: (id, body) => command('patch', id, body),
    delete: (id) => command('delete', id),
    send: (id, body) => command('send', id, { ...body, id: body.id ?? newId<ItemId>('itm') }),
    patchQueued: (id, entry, body) => command('patchQueued', id, entry, body),
    deleteQueued: (id, entry) => command('deleteQueued', id, entry),
    interrupt: (id) => command('interrupt', id),
    resume: (id) => command('resume', id),
    fork: (id, body) => command('fork', id, { ...body, id: body.id ?? newId<ConversationId>('con') }),
    activate: (id, conversation) => command('activate', id, conversation),
    retry: (id, body) => command('retry', id, { id: body.id ?? newId<TurnId>('trn') }),
    edit: (id, body) => command('edit', id, { ...body, id: body.id ?? newId<ItemId>('itm') }),
    answer: (id, item, decision) => command('answer', id, item, decision),
    theirs,

    snapshot: async (id, tail) => {
      const snapshot = await local().snapshot(id, tail);
      if (!snapshot?.items.some(isOpen)) return snapshot;
      const live = await theirs(id, false);
      if (!live) return snapshot;
      const items = withLiveText(snapshot.items, live);
      const streaming = new Set(live.map((item) => item.id));
      return {
        ...snapshot,
        items,
        live: items.filter((item) => streaming.has(item.id)).map((item) => item.id),
      };
    },
    changes: (id, after, limit) => local().changes(id, after, limit),
    items: async (id, query) => {
      const page = await local().items(id, query);
      if (!page.items.some(isOpen)) return page;
      const live = await theirs(id, false);
      return live ? { ...page, items: withLiveText(page.items, live) } : page;
    },
    item: async (id, item) => {
      const found = await local().item(id, item);
      if (!found || !isOpen(found)) return found;
      return withLiveText([found], (await theirs(id, false)) ?? [])[0];
    },
    live: (id) => local().live(id),
    running: () => local().running(),
    drain: () => local().drain(),
  };
};

const isOpen = (item: Item): boolean => item.status === 'streaming' || item.status === 'running';
