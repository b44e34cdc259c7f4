import type { Delta, ServerFrame } from '@maestro/protocol';
import type { WebSocket } from 'ws';
import type { Caller } from '../access/access.ts';
import { deltaBody, type Encoded } from './encoded.ts';
import type { HubLimits } from './limits.ts';
import type { Subscription } from './subscription.ts';

/** An event that waits for the next frame. */
interface Entry {
  readonly sub: Subscription;
  readonly encoded: Encoded;
  /** For durable events: the seq sent before. */
  readonly prev?: number;
  /** Deltas merged into one, when there was more than one. */
  merged?: Delta;
}

/** What the summary of a session shows. */
const SUMMARY = new Set(['turn', 'session']);

const isLatestWins = (entry: Entry): boolean =>
  entry.prev === undefined && entry.encoded.event.kind !== 'delta';

/**
 * The sending side of one socket: what waits, how often a frame leaves, and what happens when the reader is slow.
 * Never waits for the reader and never holds more than `most_bytes` for it.
 */
export class LiveSocket {
  readonly ws: WebSocket;
  readonly caller: Caller;
  readonly subscriptions = new Map<string, Subscription>();
  readonly opened_at: number;
  greeted = false;
  bad_frames = 0;

  readonly #limits: HubLimits;
  readonly #now: () => number;
  readonly #onRecovered: (socket: LiveSocket, dirty: readonly Subscription[]) => void;
  #pending: Entry[] = [];
  /** The last waiting delta of each item, to merge the next one into. */
  readonly #deltas = new Map<string, Entry>();
  /** Where the waiting event of a latest-wins thing stands in `#pending`. */
  readonly #latest = new Map<string, number>();
  #tokens: number;
  #tokensAt: number;
  #behind = false;
  #progressAt: number;

  constructor(
    ws: WebSocket,
    caller: Caller,
    limits: HubLimits,
    now: () => number,
    onRecovered: (socket: LiveSocket, dirty: readonly Subscription[]) => void,
  ) {
    this.ws = ws;
    this.caller = caller;
    this.#limits = limits;
    this.#now = now;
    this.#onRecovered = onRecovered;
    this.#tokens = limits.burst;
    this.opened_at = now();
    this.#tokensAt = this.opened_at;
    this.#progressAt = this.opened_at;
  }

  /** Puts an event in line. `settle` or `flush` sends it. */
  add(sub: Subscription, encoded: Encoded): void {
    const { event } = encoded;
    if (event.kind === 'delta') {
      this.#addDelta(sub, encoded, event.data);
      return;
    }
    if ('seq' in event) sub.head = Math.max(sub.head, event.seq);
    if (sub.state === 'ended' || sub.dirty) return;
    if (sub.state === 'replaying') {
      sub.waiting.push(encoded);
      return;
    }
    if (!('seq' in event)) {
      this.#addLatest(sub, encoded);
      return;
    }
    // A session's state may be told again at the seq already sent: while it waits for the database there is no other.
    if (event.seq < sub.sent || (event.seq === sub.sent && event.kind !== 'session')) return;
    if (sub.level === 'summary' && !SUMMARY.has(event.kind)) return;
    if (event.kind === 'item') this.#deltas.delete(event.data.id);
    this.#pending.push({ sub, encoded, prev: sub.sent });
    sub.sent = event.seq;
  }

  #addDelta(sub: Subscription, encoded: Encoded, delta: Delta): void {
    if (sub.state === 'replaying' && sub.elsewhere) sub.waiting.push(encoded);
    if (sub.state !== 'live' || sub.level !== 'full' || sub.dirty) return;
    if (this.#behind) {
      sub.dirty = true;
      return;
    }
    const held = this.#deltas.get(delta.item);
    const before =
      held?.merged ?? (held?.encoded.event.kind === 'delta' ? held.encoded.event.data : undefined);
    if (held && before?.field === delta.field && before.off + before.text.length === delta.off) {
      held.merged = { ...before, text: before.text + delta.text };
      return;
    }
    const entry: Entry = { sub, encoded };
    this.#deltas.set(delta.item, entry);
    this.#pending.push(entry);
  }

  #addLatest(sub: Subscription, encoded: Encoded): void {
    const { event } = encoded;
    const key = event.kind === 'card' ? `card ${event.data.id}` : event.kind;
    const at = this.#latest.get(key);
    const entry: Entry = { sub, encoded };
    if (at === undefined) this.#latest.set(key, this.#pending.push(entry) - 1);
    else this.#pending[at] = entry;
  }

  /** Sends what waits if a frame is free. false: the next tick must. */
  settle(): boolean {
    if (this.#pending.length === 0) return true;
    const now = this.#now();
    const earned = (now - this.#tokensAt) / this.#limits.tick_ms;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + earned);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    this.flush();
    return true;
  }

  /** The tick's own frame. */
  tick(): void {
    this.#tokens = 0;
    this.#tokensAt = this.#now();
    this.flush();
  }

  /** Sends all that waits as one frame. What is latest-wins waits on while the reader is behind. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const all = this.#pending.filter(({ sub }) => sub.state !== 'ended');
    const held = this.#behind ? all.filter(isLatestWins) : [];
    const sent = this.#behind ? all.filter((entry) => !isLatestWins(entry)) : all;
    this.#pending = [];
    this.#deltas.clear();
    this.#latest.clear();
    for (const { sub, encoded } of held) this.#addLatest(sub, encoded);
    if (sent.length > 0) this.sendEvents(sent.map(textOf));
  }

  /** Sends events as they are, past the line. Resolves when they have left this process. */
  sendEvents(events: readonly string[]): Promise<void> {
    return this.#send(`{"op":"batch","events":[${events.join(',')}]}`);
  }

  /** Sends a control frame after all that waits. */
  control(frame: ServerFrame): void {
    this.flush();
    void this.#send(JSON.stringify(frame));
  }

  #send(text: string): Promise<void> {
    const { ws } = this;
    // Above the bound it is about to be closed; until then nothing more is kept for it.
    if (ws.readyState !== ws.OPEN || ws.bufferedAmount > this.#limits.most_bytes) return Promise.resolve();
    if (ws.bufferedAmount === 0) this.#progressAt = this.#now();
    return new Promise((resolve) => {
      ws.send(text, () => {
        this.#progressAt = this.#now();
        resolve();
        if (this.#behind && ws.bufferedAmount < this.#limits.recovered_bytes) this.#recover();
      });
      if (ws.bufferedAmount > this.#limits.behind_bytes) this.#behind = true;
    });
  }

  #recover(): void {
    this.#behind = false;
    this.#onRecovered(
      this,
      [...this.subscriptions.values()].filter((sub) => sub.dirty),
    );
    this.flush();
  }

  /** Too much unsent, or nothing accepted for too long. */
  isStuck(): boolean {
    const { bufferedAmount } = this.ws;
    if (bufferedAmount > this.#limits.most_bytes) return true;
    return bufferedAmount > 0 && this.#now() - this.#progressAt > this.#limits.stall_ms;
  }

  /** Ends the connection; a reader that does not take even the close frame is cut off. */
  close(code: number, reason: string): void {
    this.ws.close(code, reason);
    const timer = setTimeout(() => this.ws.terminate(), 2000);
    timer.unref();
    this.ws.once('close', () => clearTimeout(timer));
  }
}

const textOf = ({ sub, encoded, prev, merged }: Entry): string =>
  eventText(sub, merged ? deltaBody(merged) : encoded.body(), prev);

/** One event as it goes over the wire. */
export const eventText = (sub: Subscription, body: string, prev?: number): string =>
  `{"stream":${JSON.stringify(sub.name)},${body}${prev === undefined ? '' : `,"prev":${prev}`}}`;
