import { type ClientFrame, type LiveEvent, PROTOCOL_VERSION, ServerFrame } from '@maestro/protocol';
import { WebSocket } from 'ws';
import type { TestServer } from './server.ts';
import { until } from './until.ts';

export interface RawSocket {
  readonly ws: WebSocket;
  /** Every frame so far, checked against the protocol. */
  readonly frames: ServerFrame[];
  /** The close code, when it is closed. */
  readonly closed: Promise<number>;
  send(frame: ClientFrame | string): void;
  /** The first frame from `from` on that fits. */
  next<Op extends ServerFrame['op']>(
    op: Op,
    fits?: (frame: Extract<ServerFrame, { op: Op }>) => boolean,
  ): Promise<Extract<ServerFrame, { op: Op }>>;
  events(stream?: string): LiveEvent[];
}

/** A socket that speaks the protocol by hand. */
export const rawSocket = async (
  server: TestServer,
  path = '/api/v1/live',
  hello = true,
): Promise<RawSocket> => {
  const ws = new WebSocket(`${server.http.url.replace('http', 'ws')}${path}`, {
    headers: { authorization: `Bearer ${server.token.current()}` },
  });
  const frames: ServerFrame[] = [];
  ws.on('message', (data) => frames.push(ServerFrame.parse(JSON.parse(String(data)))));
  const closed = new Promise<number>((resolve) => ws.once('close', resolve));
  await new Promise((resolve) => ws.once('open', resolve));
  const send = (frame: ClientFrame | string): void =>
    ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  const next: RawSocket['next'] = async (op, fits = () => true) => {
    const isIt = (frame: ServerFrame): frame is Extract<ServerFrame, { op: typeof op }> => frame.op === op;
    const find = () => frames.filter(isIt).find(fits);
    await until(`a frame ${op}`, () => find() !== undefined);
    const found = find();
    if (!found) throw new Error(`no frame ${op}`);
    return found;
  };
  const socket: RawSocket = {
    ws,
    frames,
    closed,
    send,
    next,
    events: (stream) =>
      frames
        .flatMap((frame) => (frame.op === 'batch' ? frame.events : []))
        .filter((event) => stream === undefined || event.stream === stream),
  };
  if (!hello) return socket;
  send({ op: 'hello', protocol: PROTOCOL_VERSION, client: 'test' });
  await next('welcome');
  return socket;
};
