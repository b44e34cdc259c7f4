/** The part of a WebSocket that is used here: the browser's, Node's and bun's all have it. */
export interface SocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
}

export type OpenSocket = (url: string, token: string | undefined) => SocketLike;

/** The platform's own WebSocket. Node and bun take headers, so the token never stands in an address; a page has its cookie. */
export const openSocket: OpenSocket = (url, token) => {
  const options = token === undefined ? [] : [{ headers: { authorization: `Bearer ${token}` } }];
  const socket: SocketLike = Reflect.construct(globalThis.WebSocket, [url, ...options]);
  return socket;
};
