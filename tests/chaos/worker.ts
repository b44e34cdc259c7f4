import { setTimeout as wait } from 'node:timers/promises';
import type { SessionWatch } from '@maestro/client';
import { ApiFailure } from '@maestro/client';
import { type Item, type ItemId, newId, type SessionId } from '@maestro/protocol';
import { items, wires } from '../support/house.ts';
import type { Place } from './place.ts';

const open: readonly Item['status'][] = ['streaming', 'running', 'pending', 'queued'];
/** A new session after so many messages, so that histories stay of a size. */
const messages_each = 30;
/** Messages that may wait in a session. */
const most_waiting = 2;

/** A session and all that was promised of it. */
export interface Promised {
  readonly id: SessionId;
  readonly watch: SessionWatch;
  /** Messages the server said 202 to, by id: a word that is in this message only. */
  readonly acknowledged: Map<ItemId, string>;
  /** Items a client has seen in their last state. */
  readonly settled: Map<ItemId, string>;
  /** true: nothing more is sent to it. */
  full: boolean;
}

/** One client that keeps one session busy; when that has had enough, another. */
export class Worker {
  readonly sessions: Promised[] = [];
  readonly refusals = new Map<string, number>();
  readonly #place: Place;
  readonly #random: () => number;
  readonly #number: number;
  #count = 0;

  constructor(place: Place, number: number, random: () => number) {
    this.#place = place;
    this.#number = number;
    this.#random = random;
  }

  /** Works until stopped. Never rejects for what a killed server or database does. */
  async work(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.#once();
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        const name = `${error.status} ${error.code}`;
        this.refusals.set(name, (this.refusals.get(name) ?? 0) + 1);
        if (error.status >= 500 && error.status !== 503) throw error;
      }
      await wait(50 + this.#random() * 250);
    }
  }

  /** Notes what the client holds in its last state. */
  look(): void {
    for (const { watch, settled } of this.sessions)
      for (const item of items(watch))
        if (!open.includes(item.status)) settled.set(item.id, JSON.stringify(item.data));
  }

  async #once(): Promise<void> {
    const session = await this.#session();
    const params = { session_id: session.id };
    const { watch } = session;
    const turn = watch.view?.turn;
    const chance = this.#random();
    if (turn?.status === 'interrupted' && chance < 0.5) {
      await this.#place.client.resume({ params });
      return;
    }
    if ((watch.view?.queue.length ?? 0) >= most_waiting) return;
    if (chance > 0.97 && turn?.status === 'running') {
      await this.#place.client.interrupt({ params });
      return;
    }
    const id = newId<ItemId>('itm');
    const word = `word-${this.#number}-${this.#count}`;
    this.#count += 1;
    const text = `${this.#command()} ${word}`;
    const deliver = chance % 0.1 < 0.02 ? 'now' : 'queue';
    // Told nothing, or to try again: the same message once more with its own id, as our clients do.
    for (let tries = 0; tries < 3; tries += 1) {
      try {
        await this.#place.client.sendMessage({ params, body: { id, text, deliver } });
        session.acknowledged.set(id, word);
        break;
      } catch (error) {
        if (!(error instanceof ApiFailure) || (error.status !== 503 && error.status !== 0)) throw error;
        await wait(200);
      }
    }
    if (session.acknowledged.size >= messages_each) session.full = true;
  }

  #command(): string {
    const chance = this.#random();
    if (chance < 0.25) return 'read input.txt and write its upper case to out.txt';
    if (chance < 0.4) return 'run echo begin; sleep 0.3; echo end #';
    if (chance < 0.5) return 'think about';
    return `write ${20 + Math.floor(this.#random() * 80)} words about`;
  }

  async #session(): Promise<Promised> {
    const last = this.sessions.at(-1);
    if (last && !last.full) return last;
    const { provider, model } = wires[this.#number % wires.length] ?? { provider: 'anthropic', model: '' };
    const folder = this.#place.folder(`work-${this.#number}`);
    const { session } = await this.#place.client.createSession({
      body: { provider, model, working_directory: folder },
    });
    const made: Promised = {
      id: session.id,
      watch: this.#place.live.watchSession(session.id),
      acknowledged: new Map(),
      settled: new Map(),
      full: false,
    };
    this.sessions.push(made);
    return made;
  }
}
