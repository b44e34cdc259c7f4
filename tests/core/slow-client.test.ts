import { connectLive, createClient, type SocketLike } from '@maestro/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { pssOf } from '../../bench/support/machine.ts';
import { type House, hasEnded, itemsOf, startHouse, until } from '../support/house.ts';

const sessions = 6;
const words = 90_000;
/** Of each session some 6,000 deltas. */
const tokens_per_chunk = 20;
/** MB of memory that one who does not read may cost: a full line of its socket (16), once as text and once as bytes, and the noise of a busy heap. */
const growth_mb = 60;

describe('a client that does not read (S4, Q1)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
    house.simulator.configure({ tokens_per_chunk });
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it('slows no agent and takes no memory, and ends with the right items when it reads again', {
    timeout: 60_000,
  }, async () => {
    const { url, token } = house.server;
    const sockets: WebSocket[] = [];
    const client = createClient({ base_url: url, token });
    const slow = connectLive({
      client,
      base_url: url,
      token,
      name: 'slow',
      socket: (address) => {
        const socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } });
        sockets.push(socket);
        return socket as SocketLike;
      },
    });
    /** Lets the agents write, read by both clients or by one. Answers the server's highest memory, MB, and the time, ms. */
    const round = async (reads: boolean) => {
      const made = await Promise.all(Array.from({ length: sessions }, () => house.session()));
      const reading = made.map((session) => house.live.watchSession(session.id));
      const paused = made.map((session) => slow.watchSession(session.id));
      for (const watch of [...reading, ...paused])
        await until(watch, () => watch.state.value.type === 'live', 'it is live');
      if (!reads) for (const socket of sockets) socket.pause();
      const from = performance.now();
      let most_mb = 0;
      const watching = setInterval(() => {
        most_mb = Math.max(most_mb, pssOf([house.server.pid]));
      }, 50);
      await Promise.all(
        made.map((session) =>
          client.sendMessage({ params: { session_id: session.id }, body: { text: `write ${words} words` } }),
        ),
      );
      for (const watch of reading) await until(watch, () => hasEnded(watch), 'the turn ends for who reads');
      clearInterval(watching);
      return { most_mb, ms: performance.now() - from, reading, paused };
    };
    const usual = await round(true);
    const { most_mb, ms, reading, paused } = await round(false);
    expect(most_mb - usual.most_mb).toBeLessThan(growth_mb);
    expect(ms).toBeLessThan(usual.ms * 3 + 2000);

    for (const socket of sockets) socket.resume();
    for (const [index, watch] of paused.entries()) {
      await until(
        watch,
        () => hasEnded(watch) && watch.state.value.type === 'live',
        'the turn ends for it too',
      );
      const said = itemsOf(watch, 'agent_message');
      expect(said).toEqual(itemsOf(reading[index] ?? watch, 'agent_message'));
      expect(said[0]?.data.text.length).toBeGreaterThan(words * 3);
    }
    slow.close();
  });
});
