import { type ClientFrame, PROTOCOL_VERSION, type ServerFrame } from '@maestro/protocol';
import type { Client } from './http.ts';
import { ApiFailure } from './http.ts';
import { type Observable, source } from './observable.ts';
import { type OpenSocket, openSocket, type SocketLike } from './socket.ts';

/** `refused`: the server will not have us (credential, protocol); `retry()` tries again. */
export type ConnectionState =
  | { readonly type: 'connecting' }
  | { readonly type: 'live' }
  | { readonly type: 'reconnecting'; readonly attempt: number; readonly since: number }
  | { readonly type: 'refused'; readonly message: string };

export interface ConnectionOptions {
  readonly client: Pick<Client, 'connect'>;
  /** `http://127.0.0.1:4747`. */
  readonly base_url: string;
  readonly token?: string;
  /** Names this program to the server. */
  readonly name: string;
  readonly socket?: OpenSocket;
  /** 0 to 1; for the jitter. */
  readonly random?: () => number;
  readonly times?: Partial<ConnectionTimes>;
}

/** In milliseconds. */
export interface ConnectionTimes {
  /** Reconnecting waits this long first, twice as long each time, at most `longest`. */
  readonly first: number;
  readonly longest: number;
  /** Without any frame for this long the connection counts as dead (heartbeats come every 10 s). */
  readonly silence: number;
  /** How long `check` waits for its answer. */
  readonly pong: number;
}

const usual: ConnectionTimes = { first: 250, longest: 5000, silence: 25_000, pong: 2000 };

export interface Connection {
  readonly state: Observable<ConnectionState>;
  /** Sends now; false when there is no connection (everything is subscribed again when there is one). */
  send(frame: ClientFrame): boolean;
  /** Connects at once, after `refused` too. */
  retry(): void;
  /** Asks for a sign of life; without one in 2 s it connects anew. For pages that come back into view. */
  check(): void;
  close(): void;
}

/** One socket that is always there again. `onFrame` gets every frame of the server, `onOpen` each new connection. */
export const createConnection = (
  options: ConnectionOptions,
  on: { open(): void; frame(frame: ServerFrame): void },
): Connection => {
  const times = { ...usual, ...options.times };
  const random = options.random ?? Math.random;
  const open = options.socket ?? openSocket;
  const state = source<ConnectionState>({ type: 'connecting' });
  let socket: SocketLike | undefined;
  let attempt = 0;
  let since = 0;
  let pings = 0;
  let closed = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;
  let pongTimer: ReturnType<typeof setTimeout> | undefined;

  const send = (frame: ClientFrame): boolean => {
    if (!socket || state.value.type !== 'live') return false;
    socket.send(JSON.stringify(frame));
    return true;
  };

  const clearTimers = (): void => {
    clearTimeout(retryTimer);
    clearTimeout(silenceTimer);
    clearTimeout(pongTimer);
    pongTimer = undefined;
  };

  const refuse = (message: string): void => {
    clearTimers();
    const old = socket;
    socket = undefined;
    old?.close();
    state.set({ type: 'refused', message });
  };

  /** A browser does not say why a socket was refused: the API does. */
  const askWhy = async (): Promise<string | undefined> => {
    try {
      await options.client.connect();
      return undefined;
    } catch (error) {
      const isRefusal = error instanceof ApiFailure && [401, 403, 421].includes(error.status);
      return isRefusal ? error.message : undefined;
    }
  };

  const lost = (old: SocketLike, welcomed: boolean): void => {
    if (old !== socket) return;
    socket = undefined;
    clearTimers();
    if (attempt === 0) since = Date.now();
    attempt += 1;
    state.set({ type: 'reconnecting', attempt, since });
    const wait = Math.min(times.longest, times.first * 2 ** (attempt - 1)) * (0.75 + random() * 0.5);
    retryTimer = setTimeout(() => {
      if (welcomed) {
        dial();
        return;
      }
      void askWhy().then((reason) => {
        if (closed || socket || state.value.type !== 'reconnecting') return;
        if (reason === undefined) dial();
        else refuse(reason);
      });
    }, wait);
  };

  const dial = (): void => {
    clearTimers();
    const address = new URL('/api/v1/live', options.base_url);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const mine = open(address.href, options.token);
    let welcomed = false;
    socket = mine;
    const alive = (): void => {
      clearTimeout(silenceTimer);
      silenceTimer = setTimeout(() => abandon(mine, welcomed), times.silence);
    };
    alive();
    mine.addEventListener('open', () => {
      if (mine !== socket) return;
      const hello: ClientFrame = { op: 'hello', protocol: PROTOCOL_VERSION, client: options.name };
      mine.send(JSON.stringify(hello));
    });
    mine.addEventListener('message', ({ data }) => {
      if (mine !== socket) return;
      alive();
      const frame: ServerFrame = JSON.parse(String(data));
      if (frame.op === 'pong') {
        clearTimeout(pongTimer);
        pongTimer = undefined;
      } else if (frame.op === 'error' && frame.code === 'protocol') refuse(frame.message);
      else if (frame.op === 'welcome') {
        welcomed = true;
        attempt = 0;
        state.set({ type: 'live' });
        on.open();
      } else on.frame(frame);
    });
    mine.addEventListener('close', () => lost(mine, welcomed));
    mine.addEventListener('error', () => lost(mine, welcomed));
  };

  const abandon = (mine: SocketLike, welcomed: boolean): void => {
    lost(mine, welcomed);
    mine.close();
  };

  dial();
  return {
    state,
    send,
    retry: () => {
      if (closed || state.value.type === 'live') return;
      const old = socket;
      socket = undefined;
      old?.close();
      if (state.value.type === 'refused') state.set({ type: 'connecting' });
      dial();
    },
    check: () => {
      const mine = socket;
      pings += 1;
      if (!mine || pongTimer !== undefined || !send({ op: 'ping', n: pings })) return;
      pongTimer = setTimeout(() => abandon(mine, true), times.pong);
    },
    close: () => {
      closed = true;
      clearTimers();
      const old = socket;
      socket = undefined;
      old?.close();
    },
  };
};
