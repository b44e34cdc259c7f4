import { type Abandoned, type Lease, ok, type Result } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import { most_crashes } from './actor/crash-change.ts';
import { SessionActor } from './actor/session-actor.ts';
import { inTime } from './actor/store-wait.ts';
import type { EngineDeps } from './deps.ts';

/** How long giving the leases back may take when the server stops, in ms: they end by themselves. */
const release_ms = 500;
/** How long a command waits to learn whether its session was taken while this process stood still, in ms. */
const recheck_ms = 1_000;

/** `marked`: turns found interrupted. `resumed`: those of them that go on. */
export interface Recovered {
  readonly marked: number;
  readonly resumed: number;
}

/** The sessions in use by this process: loaded on demand, owned by lease, unloaded when idle. */
export class Actors {
  readonly #deps: EngineDeps;
  readonly #actors = new Map<SessionId, SessionActor>();
  readonly #releasing = new Map<SessionId, Promise<void>>();
  readonly #loading = new Map<SessionId, Promise<SessionActor | undefined>>();
  /** Ours, with work of an owner before that could not be marked yet. */
  readonly #unsettled = new Set<SessionId>();
  #timer: NodeJS.Timeout | undefined;
  /** Monotonic ms. Before it nobody's sessions are taken over: after a database's trouble their owners renew first. */
  #patientUntil = 0;
  /** Monotonic ms: when the leases were renewed last. */
  #renewedAt: number;
  #renewing: Promise<void> | undefined;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#renewedAt = deps.clock.monotonic();
    this.#schedule();
  }

  loaded(id: SessionId): SessionActor | undefined {
    return this.#actors.get(id);
  }

  running(): number {
    return [...this.#actors.values()].filter((actor) => actor.running).length;
  }

  /** undefined: no such session, or another server owns it. */
  async get(id: SessionId): Promise<SessionActor | undefined> {
    if (this.#actors.has(id)) await this.#recheck();
    const held = this.#actors.get(id);
    if (held) return held;
    const under = this.#loading.get(id);
    if (under) return under;
    const loading = this.#load(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  async #load(id: SessionId): Promise<SessionActor | undefined> {
    const { sessions } = this.#deps.stores;
    // A lease that could not be given back is still ours.
    await this.#releasing.get(id)?.catch(() => undefined);
    const lease = await sessions.acquire(id, this.#deps.owner, this.#deps.limits.lease_ms);
    if (!lease) return undefined;
    return this.#adopt(lease);
  }

  /** Makes the actor of a session that is ours now. What an owner before left open is settled before anybody gets it. */
  async #adopt(lease: Lease, left?: Abandoned): Promise<SessionActor | undefined> {
    const { sessions } = this.#deps.stores;
    const id = lease.session_id;
    const [session, queue] = await Promise.all([sessions.get(id), sessions.queue(id)]);
    if (!session) return undefined;
    const actor: SessionActor = new SessionActor(this.#deps, lease, session, queue, () => {
      if (this.#actors.get(id) === actor) this.#actors.delete(id);
      this.#releaseAgents(id);
    });
    const isOpen = session.status === 'running' || session.status === 'waiting';
    // Until this is through the session counts as not settled, whatever goes wrong.
    this.#unsettled.add(id);
    const mayBeOpen = isOpen || queue.length > 0 || lease.handed_over === true;
    const open = left ?? (mayBeOpen ? await sessions.unfinished(lease) : undefined);
    const settled = open ? await this.#goOn(actor, open, isOpen) : ok(undefined);
    if (!settled.ok) {
      const reason = settled.error.message;
      this.#deps.log.error('an interrupted session could not be settled', { session: id, reason });
      return undefined;
    }
    this.#unsettled.delete(id);
    this.#actors.set(id, actor);
    return actor;
  }

  /** Marks what was left open and, by policy, lets the turn go on; a message that only waited for a turn's end is started. */
  async #goOn(actor: SessionActor, open: Abandoned, isOpen: boolean): Promise<Result<void>> {
    const { auto_resume, log } = this.#deps;
    const { session_id: session, handed_over } = actor.lease;
    if (isOpen || open.turn || open.open_items.length > 0) {
      const given_up = open.turn && auto_resume && open.crashes >= most_crashes ? open.crashes + 1 : null;
      const marked = await actor.recover(open.open_items, open.turn, given_up);
      if (!marked.ok) return marked;
      if (given_up !== null) {
        log.error('a turn was given up: its servers die', { session, times: given_up });
        return ok(undefined);
      }
    }
    const goesOn =
      auto_resume && (open.turn !== null || (handed_over && (await this.#isInterrupted(session))));
    if (goesOn) await actor.resume();
    if (!open.next_waits) return ok(undefined);
    const started = await actor.startNext();
    if (started.ok) log.info('a waiting message was started', { session });
    return started;
  }

  async #isInterrupted(id: SessionId): Promise<boolean> {
    return (await this.#deps.stores.sessions.lastTurn(id))?.status === 'interrupted';
  }

  /** Gives an idle session back. A command that comes meanwhile waits: the lease it takes must not be the one given back. */
  async #unload(id: SessionId, actor: SessionActor): Promise<void> {
    this.#actors.delete(id);
    this.#releaseAgents(id);
    const released = this.#deps.stores.sessions.release(actor.lease);
    this.#releasing.set(id, released);
    await released.finally(() => this.#releasing.delete(id));
  }

  /** Unloads without a word to the database: the row is about to go. */
  async forget(id: SessionId): Promise<void> {
    this.#actors.delete(id);
    this.#releaseAgents(id);
  }

  /** An agent keeps a process for a session that is in use; it is not in use any more. */
  #releaseAgents(id: SessionId): void {
    const { agents, log } = this.#deps;
    for (const agent of agents.values())
      agent
        .release(id)
        .catch((error: unknown) =>
          log.error('an agent could not be ended', { session: id, error: String(error) }),
        );
  }

  /** Takes what dead owners left open, marks it and, by policy, lets it go on. */
  async recover(): Promise<Recovered> {
    const { sessions } = this.#deps.stores;
    const abandoned = await sessions.abandoned(this.#deps.owner, this.#deps.limits.lease_ms);
    const ours = abandoned.filter(({ lease: { session_id: id } }) => {
      // A command that came meanwhile has settled it.
      return !this.#actors.has(id) && !this.#loading.has(id);
    });
    const settled = await Promise.all(ours.map((left) => this.#settle(left)));
    return {
      marked: settled.filter((each) => each !== 'nothing').length,
      resumed: settled.filter((each) => each === 'resumed').length,
    };
  }

  async #settle(left: Abandoned): Promise<'nothing' | 'marked' | 'resumed'> {
    const id = left.lease.session_id;
    const loading = this.#adopt(left.lease, left).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    const actor = await loading;
    if (!actor || !(left.turn || left.lease.handed_over)) return 'nothing';
    return actor.running ? 'resumed' : 'marked';
  }

  /**
   * Stops every turn and gives all leases back. `hand_over`: with the turns that nobody else had stopped to go on at
   * another server. Answers their sessions.
   */
  async drain(hand_over: boolean): Promise<SessionId[]> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { sessions } = this.#deps.stores;
    const actors = [...this.#actors.values()];
    const goOn = new Set(hand_over ? actors.filter((actor) => actor.wantsToGoOn) : []);
    await Promise.all(actors.map((actor) => actor.close('drain')));
    for (const actor of actors) this.#releaseAgents(actor.lease.session_id);
    // Not released where the database is away: a lease ends by itself.
    const released = actors.map(async (actor) => {
      try {
        await (goOn.has(actor) ? sessions.handOver(actor.lease) : sessions.release(actor.lease));
      } catch (error) {
        this.#deps.log.warn('a lease could not be released', { reason: String(error) });
      }
    });
    await inTime(Promise.all(released).then(ignore), release_ms, ignore);
    this.#actors.clear();
    return [...goOn].map((actor) => actor.lease.session_id);
  }

  /** Not all servers at the same moment: between a quarter and a third of the time a lease holds. */
  #schedule(): void {
    const wait = this.#deps.limits.lease_ms * (0.25 + Math.random() / 12);
    const timer = setTimeout(() => {
      void this.#tend().then(() => {
        if (this.#timer === timer) this.#schedule();
      });
    }, wait).unref();
    this.#timer = timer;
  }

  /** Where this process stood still, or the database was away, a session may be another server's by now. */
  async #recheck(): Promise<void> {
    if (this.#deps.clock.monotonic() - this.#renewedAt <= this.#deps.limits.lease_ms) return;
    await inTime(this.#renew().catch(ignore), recheck_ms, ignore);
  }

  /** Keeps the leases. A session that another server has taken meanwhile is given up. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<void> {
    const { stores, owner, limits, clock } = this.#deps;
    const actors = [...this.#actors];
    const from = clock.monotonic();
    const leases = await stores.sessions.renewAll(owner, limits.lease_ms);
    this.#renewedAt = from;
    const kept = new Map(leases.map((lease) => [lease.session_id, lease.epoch]));
    for (const [id, actor] of actors)
      if (this.#actors.get(id) === actor && kept.get(id) !== actor.lease.epoch) actor.lose();
  }

  /** Keeps the leases, unloads what is not used, and takes over what others left. */
  async #tend(): Promise<void> {
    const { idle_ms, lease_ms } = this.#deps.limits;
    const now = this.#deps.clock.monotonic();
    try {
      await this.#renew();
      for (const [id, actor] of this.#actors) {
        if (actor.idleFor(now) < idle_ms) continue;
        await this.#unload(id, actor);
      }
      for (const id of [...this.#unsettled]) await this.get(id);
      if (now < this.#patientUntil) return;
      const recovered = await this.recover();
      if (recovered.marked > 0)
        this.#deps.log.warn('turns of another server were taken over', { ...recovered });
    } catch (error) {
      this.#patientUntil = this.#deps.clock.monotonic() + lease_ms;
      this.#deps.log.warn('leases not renewed; tried again shortly', { reason: String(error) });
    }
  }
}

const ignore = (): void => undefined;
