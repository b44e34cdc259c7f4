import { PROTOCOL_VERSION, type ServerFrame, type SessionId } from '@maestro/protocol';
import { WebSocket } from 'ws';
import type { House } from './house.ts';
import { Stamps } from './stamps.ts';

/** What one session sent to one socket. */
export interface Heard {
  readonly stamps: Stamps;
  /** Length of the text held of the streaming item. */
  length: number;
  /** Deltas that did not follow the text held. */
  holes: number;
  /** Turns that ended. */
  ended: number;
}

const GLANCE_MS = 50;

/** A load client's socket: cheap, it parses every frame and keeps only what is measured. */
export class LiveSocket {
  frames = 0;
  readonly heard = new Map<string, Heard>();
  readonly #ws: WebSocket;
  readonly #waiting = new Set<() => void>();
  readonly #subbed = new Set<string>();
  #greeted = false;
  #failed: string | undefined;

  constructor(url: string, token: string) {
    const address = `${url.replace('http', 'ws')}/api/v1/live`;
    this.#ws = new WebSocket(address, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    this.#ws.on('open', () =>
      this.send({ op: 'hello', protocol: PROTOCOL_VERSION, client: 'maestro bench' }),
    );
    this.#ws.on('message', (data) => this.#receive(JSON.parse(String(data))));
    this.#ws.on('error', (error) => this.#fail(error.message));
    this.#ws.on('close', () => this.#fail('it was closed'));
  }

  static async open({ server }: House): Promise<LiveSocket> {
    const socket = new LiveSocket(server.url, server.token);
    await socket.until(() => socket.#greeted, 'is greeted');
    return socket;
  }

  send(frame: unknown): void {
    this.#ws.send(JSON.stringify(frame));
  }

  /** Follows a session, from a cursor where one is given. */
  async follow(id: SessionId, after?: number): Promise<Heard> {
    const heard: Heard = { stamps: new Stamps(), length: 0, holes: 0, ended: 0 };
    const stream = `session:${id}`;
    this.heard.set(stream, heard);
    this.#subbed.delete(stream);
    this.send({ op: 'sub', stream, level: 'full', ...(after === undefined ? {} : { after }) });
    await this.until(() => this.#subbed.has(stream), `follows ${stream}`);
    return heard;
  }

  unfollow(id: SessionId): void {
    this.heard.delete(`session:${id}`);
    this.send({ op: 'unsub', stream: `session:${id}` });
  }

  until(holds: () => boolean, what: string, longest_ms = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (done: () => void): void => {
        clearTimeout(timer);
        clearInterval(glance);
        this.#waiting.delete(look);
        done();
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`A socket waited in vain until it ${what}.`))),
        longest_ms,
      );
      const look = (): void => {
        if (holds()) end(resolve);
        else if (this.#failed) end(() => reject(new Error(`A socket failed: ${this.#failed}.`)));
      };
      // Text that grows tells nobody: that would cost the load client too much.
      const glance = setInterval(look, GLANCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.#ws.removeAllListeners('close');
    this.#ws.close();
  }

  #fail(why: string): void {
    this.#failed = why;
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look();
  }

  #receive(frame: ServerFrame): void {
    this.frames += 1;
    if (frame.op === 'batch') {
      let told = false;
      for (const event of frame.events) {
        const heard = this.heard.get(event.stream);
        if (!heard) continue;
        if (event.kind === 'delta') {
          if (event.data.off !== heard.length) heard.holes += 1;
          heard.length = event.data.off + event.data.text.length;
          heard.stamps.read(event.data.text);
        } else if (event.kind === 'item' && event.data.kind === 'agent_message') {
          if (event.data.status !== 'streaming') heard.length = 0;
        } else if (event.kind === 'turn' && event.data.ended_at !== null) {
          heard.ended += 1;
          told = true;
        }
      }
      if (told) this.#tell();
      return;
    }
    if (frame.op === 'welcome') this.#greeted = true;
    else if (frame.op === 'subbed') this.#subbed.add(frame.stream);
    else if (frame.op === 'error' || frame.op === 'reset') this.#failed = JSON.stringify(frame);
    this.#tell();
  }
}
