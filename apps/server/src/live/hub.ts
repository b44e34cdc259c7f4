import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Publisher } from '@maestro/ports';
import { ClientFrame, PROTOCOL_VERSION } from '@maestro/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Access, Caller } from '../access/access.ts';
import { type HubLimits, hubLimits } from './limits.ts';
import { LiveSocket } from './socket.ts';
import { createStreams, type HubDeps, type Streams } from './streams.ts';

/** Every live socket of this process. `publish` never waits and never throws. */
export interface Hub extends Publisher, Pick<Streams, 'receive' | 'followed' | 'catchUp'> {
  /** Takes an upgrade whose Host, Origin and credential were found right. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller, access: Access): void;
  /** Ends the sockets of one browser session. */
  closeBrowser(key: string): void;
  /** How many sockets are open. */
  sockets(): number;
  close(): void;
}

export const createHub = (deps: HubDeps): Hub => {
  const limits: HubLimits = { ...hubLimits, ...deps.limits };
  const { log } = deps;
  const streams = createStreams(deps, limits);
  const now = (): number => performance.now();
  const sockets = new Map<LiveSocket, Access>();
  const checking = new Set<Caller['kind']>();
  let sweep: NodeJS.Timeout | undefined;
  let beatAt = now();
  // Compression costs more than it saves on one machine, and stalls the loop.
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 * 1024 });

  const greet = (socket: LiveSocket, protocol: number): void => {
    if (protocol === PROTOCOL_VERSION) {
      socket.greeted = true;
      socket.control({ op: 'welcome', protocol: PROTOCOL_VERSION, server: { version: deps.version } });
      return;
    }
    const older = protocol < PROTOCOL_VERSION ? 'client' : 'server';
    socket.control({
      op: 'error',
      code: 'protocol',
      message: `The client speaks protocol ${protocol}, this server ${PROTOCOL_VERSION}. Update the ${older}.`,
    });
    socket.close(1002, `update the ${older}`);
  };

  const complain = (socket: LiveSocket, message: string): void => {
    socket.bad_frames += 1;
    socket.control({ op: 'error', code: 'invalid', message });
    if (socket.bad_frames >= limits.bad_frames) socket.close(1008, 'too many bad frames');
  };

  const receive = (socket: LiveSocket, text: string): void => {
    const frame = parseFrame(text);
    if (typeof frame === 'string') complain(socket, frame);
    else if (frame.op === 'hello') greet(socket, frame.protocol);
    else if (!socket.greeted) complain(socket, 'op: the first frame must be "hello"');
    else if (frame.op === 'ping') socket.control({ op: 'pong', n: frame.n });
    else if (frame.op === 'sub') streams.subscribe(socket, frame);
    else streams.unsubscribe(socket, frame);
  };

  const forget = (socket: LiveSocket): void => {
    streams.forget(socket);
    sockets.delete(socket);
    if (sockets.size > 0) return;
    clearInterval(sweep);
    sweep = undefined;
  };

  const drop = (socket: LiveSocket, code: number, reason: string): void => {
    forget(socket);
    socket.close(code, reason);
  };

  const beat = (socket: LiveSocket): void => {
    const heads: Record<string, number> = {};
    for (const sub of socket.subscriptions.values())
      if (sub.stream.startsWith('session:') && sub.state === 'live') heads[sub.name] = sub.head;
    socket.control({ op: 'hb', t: Date.now(), heads });
  };

  const lookAfter = (): void => {
    const beating = now() - beatAt >= limits.heartbeat_ms;
    if (beating) beatAt = now();
    for (const socket of [...sockets.keys()]) {
      if (socket.isStuck()) drop(socket, 1013, 'too slow; connect again');
      else if (!socket.greeted && now() - socket.opened_at > limits.hello_ms) drop(socket, 1008, 'no hello');
      else if (beating) beat(socket);
    }
    for (const kind of ['token', 'browser'] as const)
      checkCallers(kind).catch((error: unknown) => log.info('live.callers', { reason: String(error) }));
  };

  /** Who is still welcome is for the database to say, of browsers: while it is away they stay, and nobody else waits. */
  const checkCallers = async (kind: Caller['kind']): Promise<void> => {
    if (checking.has(kind)) return;
    checking.add(kind);
    try {
      for (const [socket, access] of [...sockets])
        if (socket.caller.kind === kind && sockets.has(socket) && !(await access.stillValid(socket.caller)))
          drop(socket, 1008, 'the credential is no longer valid');
    } finally {
      checking.delete(kind);
    }
  };

  const opened = (ws: WebSocket, caller: Caller, access: Access): void => {
    const socket = new LiveSocket(ws, caller, limits, now, (_, dirty) => {
      for (const sub of dirty) streams.reset(sub, 'slow');
    });
    sockets.set(socket, access);
    sweep ??= setInterval(lookAfter, limits.sweep_ms);
    ws.on('message', (data, isBinary) => {
      if (isBinary) complain(socket, 'frames must be text');
      else receive(socket, String(data));
    });
    ws.on('close', () => forget(socket));
    ws.on('error', (error) => log.info('live.socket', { error: error.message }));
  };

  const safely = (publish: () => void): void => {
    try {
      publish();
    } catch (error) {
      log.error('live.publish', { error: String(error) });
    }
  };

  return {
    publish: (events) => safely(() => streams.publish(events)),
    receive: (events) => safely(() => streams.receive(events)),
    reset: streams.resetAll,
    followed: streams.followed,
    catchUp: streams.catchUp,
    accept: (request, socket, head, caller, access) =>
      upgrades.handleUpgrade(request, socket, head, (ws) => opened(ws, caller, access)),
    closeBrowser: (key) => {
      for (const socket of [...sockets.keys()])
        if (socket.caller.kind === 'browser' && socket.caller.key === key) drop(socket, 1008, 'logged out');
    },
    sockets: () => sockets.size,
    close: () => {
      streams.close();
      for (const socket of [...sockets.keys()]) drop(socket, 1001, 'the server stops');
    },
  };
};

/** A frame, or what is wrong with it, naming the field. */
const parseFrame = (text: string): ClientFrame | string => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the frame is not JSON';
  }
  const parsed = ClientFrame.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return `${issue?.path.join('.') || 'op'}: ${issue?.message ?? 'not valid'}`;
};
