import type { SessionId } from '@maestro/protocol';
import { SessionActor } from './actor/session-actor.ts';
import type { EngineDeps } from './deps.ts';

/** The sessions in use by this process: loaded on demand, owned by lease, unloaded when idle. */
export class Actors {
  readonly #deps: EngineDeps;
  readonly #actors = new Map<SessionId, SessionActor>();
  readonly #loading = new Map<SessionId, Promise<SessionActor | undefined>>();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.#tend(), deps.limits.lease_ms / 3).unref();
  }

  loaded(id: SessionId): SessionActor | undefined {
    return this.#actors.get(id);
  }

  running(): number {
    return [...this.#actors.values()].filter((actor) => actor.running).length;
  }

  /** undefined: no such session, or another server owns it. */
  get(id: SessionId): Promise<SessionActor | undefined> {
    const held = this.#actors.get(id);
    if (held) return Promise.resolve(held);
    const under = this.#loading.get(id);
    if (under) return under;
    const loading = this.#load(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  async #load(id: SessionId): Promise<SessionActor | undefined> {
    const { sessions } = this.#deps.stores;
    const lease = await sessions.acquire(id, this.#deps.owner, this.#deps.limits.lease_ms);
    if (!lease) return undefined;
    const [session, queue] = await Promise.all([sessions.get(id), sessions.queue(id)]);
    if (!session) return undefined;
    const actor = new SessionActor(this.#deps, lease, session, queue, () => this.#actors.delete(id));
    this.#actors.set(id, actor);
    return actor;
  }

  /** Unloads without a word to the database: the row is about to go. */
  async forget(id: SessionId): Promise<void> {
    this.#actors.delete(id);
  }

  /** Marks what dead owners left open. Answers the sessions whose turn was interrupted. */
  async recover(): Promise<SessionId[]> {
    const { sessions } = this.#deps.stores;
    const abandoned = await sessions.abandoned(this.#deps.owner, this.#deps.limits.lease_ms);
    const interrupted: SessionId[] = [];
    for (const { lease, turn, open_items } of abandoned) {
      const id = lease.session_id;
      const [session, queue] = await Promise.all([sessions.get(id), sessions.queue(id)]);
      if (!session) continue;
      const actor = new SessionActor(this.#deps, lease, session, queue, () => this.#actors.delete(id));
      this.#actors.set(id, actor);
      const done = await actor.recover(open_items, turn);
      if (done.ok && turn) interrupted.push(id);
      if (!done.ok)
        this.#deps.log.error('an interrupted session could not be marked', {
          session: id,
          reason: done.error.message,
        });
    }
    return interrupted;
  }

  async drain(): Promise<void> {
    clearInterval(this.#timer);
    const actors = [...this.#actors.values()];
    await Promise.all(actors.map((actor) => actor.stop('drain')));
    await Promise.all(actors.map((actor) => this.#deps.stores.sessions.release(actor.lease)));
    this.#actors.clear();
  }

  /** Keeps the leases and unloads what is not used. */
  async #tend(): Promise<void> {
    try {
      await this.#deps.stores.sessions.renewAll(this.#deps.owner, this.#deps.limits.lease_ms);
      const now = this.#deps.clock.monotonic();
      for (const [id, actor] of this.#actors) {
        if (actor.idleFor(now) < this.#deps.limits.idle_ms) continue;
        this.#actors.delete(id);
        await this.#deps.stores.sessions.release(actor.lease);
      }
    } catch (error) {
      this.#deps.log.warn('leases not renewed; tried again shortly', { reason: String(error) });
    }
  }
}
