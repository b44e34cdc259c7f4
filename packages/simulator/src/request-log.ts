import type { Json } from '@maestro/protocol';
import type { WireId } from './conversation.ts';

/** `open`: still being answered · `complete` · `aborted`: the client closed · `cut`, `reset`: the simulator destroyed the socket · `stalled`: it stays open and silent. */
export type Ending = 'open' | 'complete' | 'aborted' | 'cut' | 'reset' | 'stalled';

/** `authorize`, `token`, `device`, `account`: of a login; its wire is null. */
export type RequestKind =
  | 'answer'
  | 'count'
  | 'models'
  | 'show'
  | 'version'
  | 'authorize'
  | 'token'
  | 'device'
  | 'account'
  | 'revoke';

/** One request as it came over the socket and what became of it. Times are milliseconds since 1970, with fractions. */
export interface SeenRequest {
  /** Counts from 1. */
  readonly number: number;
  readonly request_id: string;
  readonly wire: WireId | null;
  readonly kind: RequestKind;
  readonly method: string;
  readonly url: string;
  /** Names and values as they came, in order and casing. */
  readonly raw_headers: readonly (readonly [string, string])[];
  /** The exact bytes of the body. */
  readonly body: Buffer;
  /** The body parsed; null where it is none. */
  readonly json: Json;
  readonly model: string | null;
  /** Text of the last message of the user; '' where the request was refused. */
  readonly user_text: string;
  readonly arrived_at: number;
  /** Status of the answer; null until its head was written. */
  status: number | null;
  /** Why it was refused, in the vendor's words; null where it was not. */
  refused: string | null;
  /** First and latest body chunk written. */
  first_chunk_at: number | null;
  chunks: number;
  ending: Ending;
  ended_at: number | null;
}

interface Waiter {
  readonly matches: (request: SeenRequest) => boolean;
  readonly found: (request: SeenRequest) => void;
  readonly failed: (error: Error) => void;
}

export const now = (): number => performance.timeOrigin + performance.now();

/** Bodies kept in all, in bytes. */
const MOST_BYTES = 256 * 1024 * 1024;

/** What was asked, oldest first; bounded in number and bytes, the oldest go. Who waits is told by events. */
export class RequestLog {
  readonly #requests: SeenRequest[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #capacity: number;
  #count = 0;
  #bytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get all(): readonly SeenRequest[] {
    return this.#requests;
  }

  /** Number of requests ever seen. */
  get count(): number {
    return this.#count;
  }

  next(): number {
    this.#count += 1;
    return this.#count;
  }

  add(request: SeenRequest): void {
    this.#requests.push(request);
    this.#bytes += request.body.length;
    while (this.#requests.length > 1 && (this.#requests.length > this.#capacity || this.#bytes > MOST_BYTES))
      this.#bytes -= this.#requests.shift()?.body.length ?? 0;
    this.changed(request);
  }

  /** Tells who waits that something about `request` changed. Costs nothing when nobody waits. */
  changed(request: SeenRequest): void {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(request)) continue;
      this.#waiters.delete(waiter);
      waiter.found(request);
    }
  }

  /** The first request, seen or still to come, for which `matches` holds, now or after a change. Rejects after `timeout_ms`. */
  waitFor(matches: (request: SeenRequest) => boolean, timeout_ms: number): Promise<SeenRequest> {
    const there = this.#requests.find(matches);
    if (there) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          waiter.failed(
            new Error(`No matching request within ${timeout_ms} ms; ${this.#requests.length} seen.`),
          ),
        timeout_ms,
      );
      const waiter: Waiter = {
        matches,
        found: (request) => {
          clearTimeout(timer);
          resolve(request);
        },
        failed: (error) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Forgets the requests; the count goes on. */
  clear(): void {
    this.#requests.length = 0;
    this.#bytes = 0;
  }

  close(): void {
    for (const waiter of this.#waiters) waiter.failed(new Error('The simulator was closed.'));
  }
}
