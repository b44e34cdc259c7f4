import type { Session } from '@maestro/protocol';
import { askDirect } from './direct.ts';
import type { House } from './house.ts';
import { LiveSocket } from './live-socket.ts';
import { cpuOf } from './machine.ts';
import { quantile } from './statistics.ts';

export interface Stream {
  readonly sessions: number;
  readonly tokens: number;
  readonly tokens_per_second: number;
}

/** How long after it was written a token was in the client's hands, ms. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly first_p50: number;
  /** From the first prompt being sent until the last one had reached the provider. */
  readonly last_prompt: number;
}

export interface Streamed extends Latency {
  readonly frames: number;
  readonly server_ms_per_token: number;
  readonly database_ms_per_token: number;
}

const latency = (
  ages: readonly (readonly number[])[],
  tokens: number,
  sent_at: number,
  arrived: readonly number[],
): Latency => {
  const all = ages.flat();
  if (all.length !== tokens) throw new Error(`${all.length} tokens arrived of ${tokens}.`);
  return {
    p50: quantile(all, 0.5),
    p95: quantile(all, 0.95),
    p99: quantile(all, 0.99),
    max: Math.max(...all),
    first_p50: quantile(
      ages.map(([first]) => first ?? Number.NaN),
      0.5,
    ),
    last_prompt: Math.max(...arrived) - sent_at,
  };
};

const scenarios = ({ sessions, tokens, tokens_per_second }: Stream) =>
  Array.from({ length: sessions }, () => ({
    steps: [{ type: 'clock' as const, chunks: tokens }],
    tokens_per_second,
  }));

/** The same streams without our server. */
export const streamDirect = async (house: House, stream: Stream): Promise<Latency> => {
  await house.vendor.forget();
  await house.vendor.script(scenarios(stream));
  const asked = await Promise.all(
    Array.from({ length: stream.sessions }, () =>
      askDirect(house.vendor.origin, [{ role: 'user', content: 'Go.' }]),
    ),
  );
  const arrived = (await house.vendor.answers()).map(({ arrived_at }) => arrived_at);
  return latency(
    asked.map(({ stamps }) => stamps.ages),
    stream.sessions * stream.tokens,
    Math.min(...asked.map(({ sent_at }) => sent_at)),
    arrived,
  );
};

/** A socket each, or one for all sessions. */
export const openSockets = (house: House, count: number): Promise<LiveSocket[]> =>
  Promise.all(Array.from({ length: count }, () => LiveSocket.open(house)));

/** Prompts every session at once and reads to the end. Throws when a token was lost or came twice. */
export const streamThrough = async (
  house: House,
  sessions: readonly Session[],
  sockets: readonly LiveSocket[],
  stream: Stream,
): Promise<Streamed> => {
  await house.vendor.forget();
  await house.vendor.script(scenarios(stream));
  const followed = await Promise.all(
    sessions.map(async ({ id }, at) => {
      const socket = sockets[at % sockets.length];
      if (!socket) throw new Error('There is no socket.');
      return { id, socket, heard: await socket.follow(id) };
    }),
  );
  const database = house.database();
  const cpu = () => ({ server: cpuOf([house.server.pid]), database: cpuOf(database) });
  const frames = () => sockets.reduce((sum, socket) => sum + socket.frames, 0);
  const before = { ...cpu(), frames: frames() };
  const sent_at = performance.timeOrigin + performance.now();
  await Promise.all(
    followed.map(async ({ id, socket, heard }) => {
      await house.client.sendMessage({ params: { session_id: id }, body: { text: 'Go.' } });
      await socket.until(() => heard.ended > 0, 'sees the end of a turn');
    }),
  );
  const after = { ...cpu(), frames: frames() };
  for (const { id, socket } of followed) socket.unfollow(id);
  const holes = followed.reduce((sum, { heard }) => sum + heard.holes, 0);
  if (holes > 0) throw new Error(`${holes} deltas did not follow the text before them.`);
  const arrived = (await house.vendor.answers()).map(({ arrived_at }) => arrived_at);
  const tokens = sessions.length * stream.tokens;
  return {
    ...latency(
      followed.map(({ heard }) => heard.stamps.ages),
      tokens,
      sent_at,
      arrived,
    ),
    frames: after.frames - before.frames,
    server_ms_per_token: (after.server - before.server) / tokens,
    database_ms_per_token: (after.database - before.database) / tokens,
  };
};
