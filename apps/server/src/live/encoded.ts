import type { SessionEvent } from '@maestro/ports';
import type { Delta } from '@maestro/protocol';

const body = (kind: string, data: unknown, seq?: number): string =>
  JSON.stringify({ kind, data, seq }).slice(1, -1);

/** An event on its way to many sockets: its JSON is made once, and only if a socket wants it. */
export class Encoded {
  readonly event: SessionEvent;
  /** Of an event from another server: the seq of the session's event before it. */
  readonly prev: number | undefined;
  #body: string | undefined;

  constructor(event: SessionEvent, prev?: number) {
    this.event = event;
    this.prev = prev;
  }

  /** `"kind":…,"data":…` and `"seq":…` where it has one; the socket adds the stream's name and `prev`. */
  body(): string {
    const { event } = this;
    this.#body ??= body(event.kind, event.data, 'seq' in event ? event.seq : undefined);
    return this.#body;
  }
}

export const deltaBody = (delta: Delta): string => body('delta', delta);
