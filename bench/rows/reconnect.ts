import {
  connectLive,
  type OpenSocket,
  openSocket,
  type SessionWatch,
  type SocketLike,
} from '@maestro/client';
import type { Session } from '@maestro/protocol';
import { ms, type Row } from '../row.ts';
import { type House, startHouse } from '../support/house.ts';
import { LiveSocket } from '../support/live-socket.ts';

/** What one agent does in 60 s: three turns of two tool calls and 1,000 tokens, and one that still runs. */
const TURNS = 3;
const SESSIONS = 10;
const call = { type: 'tool_calls' as const, calls: [{ name: 'read_file', input: { path: 'notes.txt' } }] };
const turn = [{ steps: [call] }, { steps: [call] }, { steps: [{ type: 'clock' as const, chunks: 1000 }] }];
const open = { steps: [{ type: 'clock' as const, chunks: 150 }], tokens_per_second: 50 };

const until = (watches: readonly SessionWatch[], holds: (watch: SessionWatch) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const states = watches.map(({ state }) => state.value.type).join(', ');
      end(() => reject(new Error(`Not every session came that far: ${states}.`)));
    }, 30_000);
    const end = (done: () => void): void => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      done();
    };
    const look = (): void => {
      if (watches.every(holds)) end(resolve);
    };
    const stops = watches.flatMap((watch) => [watch.state.listen(look), watch.onChange(look)]);
    look();
  });

const isLive = (watch: SessionWatch): boolean => watch.state.value.type === 'live';
const hasEnded = (watch: SessionWatch): boolean =>
  watch.view?.turn?.ended_at !== null && watch.view?.turn !== null;

/** A connection that can be cut from outside. */
const cuttable = () => {
  let current: SocketLike | undefined;
  let opened_at = 0;
  const dial: OpenSocket = (url, token) => {
    current = openSocket(url, token);
    current.addEventListener('open', () => {
      opened_at = performance.now();
    });
    return current;
  };
  return { dial, opened_at: () => opened_at, cut: () => current?.close() };
};

/** Everything the server has of a session, and nothing twice. */
const check = async (house: House, watch: SessionWatch): Promise<void> => {
  const { items } = await house.client.listItems({ params: { session_id: watch.id }, query: { limit: 500 } });
  const held = (watch.view?.order ?? []).flatMap((id) => watch.view?.items.get(id) ?? []);
  const text = (list: typeof held) =>
    JSON.stringify(list.map(({ id, status, data }) => ({ id, status, data })));
  if (text(held) !== text(items))
    throw new Error(`After the reconnect ${held.length} items are held of ${items.length}, or they differ.`);
};

const whileAway = async (house: House, sessions: readonly Session[]): Promise<void> => {
  const other = await LiveSocket.open(house);
  const heard = await Promise.all(sessions.map(({ id }) => other.follow(id)));
  for (let time = 1; time <= TURNS; time += 1) {
    for (const [at, { id }] of sessions.entries()) {
      await house.vendor.script(turn);
      await house.client.sendMessage({ params: { session_id: id }, body: { text: 'Go.' } });
      await other.until(() => (heard[at]?.ended ?? 0) >= time, 'sees the end of a turn');
    }
  }
  await house.vendor.script(sessions.map(() => open));
  await Promise.all(
    sessions.map(({ id }) =>
      house.client.sendMessage({ params: { session_id: id }, body: { text: 'Go on.' } }),
    ),
  );
  await other.until(() => heard.every(({ length }) => length > 20), 'streams');
  other.close();
};

/** A client of ten sessions comes back after a minute's worth of work, while all of them stream. */
export const reconnect: Row = {
  name: 'reconnect',
  about:
    'back after 60 s away (10 sessions, 30 turns meanwhile, all streaming): from socket open to caught up',
  quick: true,
  longest_s: 180,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const { client, server } = house;
    const rounds = plan.quick ? 2 : 4;
    for (let round = 0; round <= rounds; round += 1) {
      const sessions = await house.sessions(SESSIONS);
      const line = cuttable();
      const live = connectLive({
        client,
        base_url: server.url,
        token: server.token,
        name: 'maestro bench',
        socket: line.dial,
        tail: 500,
        // It comes back when told to.
        times: { first: 60_000, longest: 60_000 },
      });
      const watches = sessions.map(({ id }) => live.watchSession(id));
      await until(watches, isLive);
      line.cut();
      await until(watches, (watch) => watch.state.value.type === 'stale');
      await whileAway(house, sessions);
      live.retry();
      await until(watches, isLive);
      const took = performance.now() - line.opened_at();
      await until(watches, hasEnded);
      for (const watch of watches) await check(house, watch);
      live.close();
      if (round > 0) yield { 'caught up': ms(took) };
    }
  },
};
