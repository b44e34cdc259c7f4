import { Duplex } from 'node:stream';
import { makeCutter, type Part } from './frontend.ts';

/** Runs whole frontend messages; `onBytes` gets the answer as it comes and gives false when it should be told `read` later. */
export interface Backend {
  run(bytes: Uint8Array, onBytes: (bytes: Buffer) => void): Promise<void>;
  /** So many bytes of an answer were read: more may come. */
  read(bytes: number): void;
}

const message = (letter: string, ...body: Buffer[]): Buffer => {
  const content = Buffer.concat(body);
  const head = Buffer.alloc(5, letter);
  head.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
};
const text = (...words: string[]): Buffer => Buffer.from(words.map((word) => `${word}\0`).join(''));
const greeting = Buffer.concat([
  message('R', Buffer.alloc(4)),
  message('S', text('client_encoding', 'UTF8')),
  message('S', text('standard_conforming_strings', 'on')),
  message('Z', Buffer.from('I')),
]);
/** No columns: nobody asks. */
const copyInResponse = message('G', Buffer.alloc(3));
/** What another connection left behind: there is one session only. */
const reset = ['rollback', 'discard all'].map((statement) => message('Q', text(statement)));

/**
 * What `pg` takes for its socket: the protocol goes to PGlite's thread instead of a server. So the driver, its types,
 * errors, prepared statements and COPY are the same on every engine.
 */
export class PgliteConnection extends Duplex {
  readonly #backend: () => Promise<Backend>;
  readonly #cut = makeCutter();
  #connected: Backend | undefined;
  /** Bytes that were handed to the reader and not yet counted as read. */
  #pushed = 0;

  constructor(backend: () => Promise<Backend>) {
    super();
    this.#backend = backend;
  }

  connect(): this {
    this.#backend().then(
      (backend) => {
        this.#connected = backend;
        this.emit('connect');
      },
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#serve(this.#cut(chunk)).then(
      () => done(),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _read(): void {
    this.#count();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#count();
    done(error);
  }

  #count(): void {
    this.#connected?.read(this.#pushed);
    this.#pushed = 0;
  }

  async #serve(parts: readonly Part[]): Promise<void> {
    const backend = this.#connected;
    if (!backend) throw new Error('Connection terminated: it was never made.');
    for (const part of parts) {
      if (part.type === 'startup') {
        for (const statement of reset) await backend.run(statement, (bytes) => backend.read(bytes.length));
        this.push(greeting);
      } else if (part.type === 'copy_begins') this.push(copyInResponse);
      else if (part.type === 'run')
        await backend.run(part.bytes, part.copy ? this.#withoutFirst() : this.#pass);
    }
  }

  readonly #pass = (bytes: Buffer): void => {
    this.#pushed += bytes.length;
    if (this.destroyed || this.push(bytes)) this.#count();
  };

  /** Leaves out the CopyInResponse, which the client has had. An error in its place is passed on. */
  #withoutFirst(): (bytes: Buffer) => void {
    let head: Buffer | undefined = Buffer.alloc(0);
    return (bytes) => {
      if (!head) {
        this.#pass(bytes);
        return;
      }
      head = Buffer.concat([head, bytes]);
      if (head.length < 5) return;
      const length = head[0] === copyInResponse[0] ? 1 + head.readUInt32BE(1) : 0;
      if (head.length < length) return;
      this.#connected?.read(length);
      this.#pass(head.subarray(length));
      head = undefined;
    };
  }
}
