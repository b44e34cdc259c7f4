import type { LiveEvent, ServerFrame, SessionId } from '@maestro/protocol';
import { type CardsWatch, watchCards } from './cards-watch.ts';
import { type ConnectionOptions, type ConnectionState, createConnection } from './connection.ts';
import type { Client } from './http.ts';
import type { Observable } from './observable.ts';
import { type ServerWatch, watchServer } from './server-watch.ts';
import { type SessionWatch, watchSession } from './session-watch.ts';
import type { StreamHolder } from './stream.ts';

export interface LiveOptions extends Omit<ConnectionOptions, 'client'> {
  readonly client: Client;
  /** Items of the first picture of a session. */
  readonly tail?: number;
}

/** One socket for everything a program watches. A dropped connection comes back by itself and nothing is lost or doubled. */
export interface Live {
  readonly state: Observable<ConnectionState>;
  /** Watching the same thing twice shares it; each `close` ends one share. */
  watchSession(id: SessionId): SessionWatch;
  watchCards(): CardsWatch;
  watchServer(): ServerWatch;
  /** Connects at once, after `refused` too. */
  retry(): void;
  /** Makes sure that the connection is alive: for a page that comes back into view. */
  check(): void;
  close(): void;
}

const RETRY_MS = 1000;

export const connectLive = (options: LiveOptions): Live => {
  const { client, tail = 60 } = options;
  const holders = new Map<string, { holder: StreamHolder; shares: number }>();

  const deliver = (events: readonly LiveEvent[]): void => {
    const byStream = new Map<string, LiveEvent[]>();
    for (const event of events) {
      const list = byStream.get(event.stream);
      if (list) list.push(event);
      else byStream.set(event.stream, [event]);
    }
    for (const [stream, list] of byStream) holders.get(stream)?.holder.batch(list);
  };

  const receive = (frame: ServerFrame): void => {
    switch (frame.op) {
      case 'batch':
        deliver(frame.events);
        return;
      case 'subbed':
        holders.get(frame.stream)?.holder.subbed(frame);
        return;
      case 'reset':
        holders.get(frame.stream)?.holder.reset();
        return;
      case 'hb':
        for (const [stream, head] of Object.entries(frame.heads)) holders.get(stream)?.holder.heartbeat(head);
        return;
      case 'error':
        if (frame.stream !== undefined) holders.get(frame.stream)?.holder.failed(frame);
        return;
      default:
    }
  };

  const connection = createConnection(options, {
    open: () => {
      for (const { holder } of [...holders.values()]) holder.opened();
    },
    frame: receive,
  });
  const stopListening = connection.state.listen(({ type }) => {
    if (type === 'live') return;
    for (const { holder } of [...holders.values()]) holder.lost();
  });

  /** Gives the holder of a stream, made on first use, with its own `close`. */
  const share = <H extends StreamHolder>(stream: string, make: () => H, known: Map<string, H>): H => {
    const entry = holders.get(stream);
    let holder = known.get(stream);
    if (entry && holder) entry.shares += 1;
    else {
      holder = make();
      known.set(stream, holder);
      holders.set(stream, { holder, shares: 1 });
      holder.opened();
    }
    let open = true;
    const close = (): void => {
      const held = holders.get(stream);
      if (!open || !held) return;
      open = false;
      held.shares -= 1;
      if (held.shares > 0) return;
      holders.delete(stream);
      known.delete(stream);
      held.holder.close();
    };
    return Object.create(holder, { close: { value: close } });
  };

  const sessions = new Map<string, SessionWatch & StreamHolder>();
  const cards = new Map<string, CardsWatch & StreamHolder>();
  const server = new Map<string, ServerWatch & StreamHolder>();
  const { send } = connection;
  return {
    state: connection.state,
    watchSession: (id) =>
      share(
        `session:${id}`,
        () => watchSession(id, { client, send, tail, retry_ms: options.times?.first ?? RETRY_MS }),
        sessions,
      ),
    watchCards: () => share('sessions', () => watchCards(send), cards),
    watchServer: () => share('server', () => watchServer(send), server),
    retry: connection.retry,
    check: connection.check,
    close: () => {
      stopListening();
      for (const { holder } of holders.values()) holder.close();
      holders.clear();
      connection.close();
    },
  };
};
