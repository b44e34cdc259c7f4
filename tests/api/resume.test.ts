import { setImmediate as turn } from 'node:timers/promises';
import { type Client, connectLive, createClient, type Live, type SessionWatch } from '@maestro/client';
import { type Item, type ItemId, newId, type SessionId } from '@maestro/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startServer, type TestServer } from './support/server.ts';
import { seeded, until } from './support/until.ts';
import type { World } from './support/world.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface Cuttable {
  readonly live: Live;
  readonly client: Client;
  cut(): void;
  /** While true, no connection comes about. */
  away: boolean;
  /** Paths of its HTTP requests. */
  readonly asked: readonly string[];
}

const connect = (server: TestServer, name: string): Cuttable => {
  const token = server.token.current();
  const asked: string[] = [];
  const client = createClient({
    base_url: server.http.url,
    token,
    ask: (input, init) => {
      asked.push(new URL(input).pathname);
      return fetch(input, init);
    },
  });
  let open: WebSocket | undefined;
  const mine = { away: false };
  const live = connectLive({
    client,
    base_url: server.http.url,
    token,
    name,
    times: { first: 1, longest: 4 },
    socket: (url, bearer) => {
      open = new WebSocket(mine.away ? 'ws://127.0.0.1:9' : url, {
        headers: { authorization: `Bearer ${bearer}` },
      });
      return open;
    },
  });
  closers.push(() => live.close());
  return Object.assign(mine, { live, client, cut: () => open?.terminate(), asked });
};

/** A small agent: messages that stream word by word, with finished tool calls between. */
const play = async (world: World, id: SessionId, rounds: number, random: () => number): Promise<void> => {
  for (let round = 0; round < rounds; round += 1) {
    const message = newId<ItemId>('itm');
    await world.put(id, { id: message, kind: 'agent_message', status: 'streaming', data: { text: '' } });
    let text = '';
    const words = 5 + Math.floor(random() * 40);
    for (let word = 0; word < words; word += 1) {
      const part = `w${round}.${word} `;
      text += part;
      world.grow(id, message, part);
      if (random() < 0.3) await turn();
    }
    const tool = newId<ItemId>('itm');
    const data = { name: 'read_file', call_id: tool, input: {} };
    await world.put(id, { id: tool, kind: 'tool_call', status: 'running', data });
    await world.put(id, { id: message, kind: 'agent_message', status: 'done', data: { text } });
    await world.put(id, { id: tool, kind: 'tool_call', status: 'done', data: { ...data, output: 'ok' } });
  }
};

const itemsOf = (watch: SessionWatch): (Item | undefined)[] =>
  (watch.view?.order ?? []).map((id) => watch.view?.items.get(id));
const truthOf = (world: World, id: SessionId): Item[] =>
  [...world.get(id).items.values()].toSorted((a, b) => a.position - b.position);
const caughtUp = (watch: SessionWatch, world: World, id: SessionId): boolean =>
  watch.state.value.type === 'live' && watch.view?.seq === world.get(id).seq;

describe('a connection that drops', () => {
  it('cut 100 times at random, the items equal those of a client that was never cut (U2)', async () => {
    const server = await startServer();
    closers.push(server.close);
    const { world } = server;
    const { id } = world.newSession();
    const random = seeded(20261121);
    world.pause = async () => {
      for (let n = Math.floor(random() * 4); n > 0; n -= 1) await turn();
    };
    const steady = connect(server, 'steady');
    const shaken = connect(server, 'shaken');
    const whole = steady.live.watchSession(id);
    const cutUp = shaken.live.watchSession(id);
    await until('both live', () => whole.state.value.type === 'live' && cutUp.state.value.type === 'live');

    let cuts = 0;
    let playing = true;
    const agent = (async () => {
      while (cuts < 100) await play(world, id, 1, random);
      playing = false;
    })();
    while (playing) {
      await until('a live socket to cut', () => !playing || shaken.live.state.value.type === 'live');
      for (let n = Math.floor(random() * 6); n > 0; n -= 1) await turn();
      shaken.cut();
      cuts += 1;
      await until('the cut to be seen', () => shaken.live.state.value.type !== 'live');
    }
    await agent;
    await until('both caught up', () => caughtUp(whole, world, id) && caughtUp(cutUp, world, id));

    expect(cuts).toBeGreaterThanOrEqual(100);
    expect(itemsOf(cutUp)).toEqual(itemsOf(whole));
    expect(itemsOf(cutUp)).toEqual(truthOf(world, id).slice(-itemsOf(cutUp).length));
    expect(server.logged).toEqual([]);
    // It came back by its cursor each time: one snapshot at the start, no item fetched again.
    const asked = shaken.asked.filter((path) => path !== '/api/v1/tui/connect');
    expect(asked).toEqual([`/api/v1/sessions/${id}/snapshot`]);
  });

  it('away for a long while, it catches up by its cursor with what changed and what streams now (U2)', async () => {
    const server = await startServer();
    closers.push(server.close);
    const { world } = server;
    const { id } = world.newSession();
    const random = seeded(60);
    await play(world, id, 5, random);
    const traveller = connect(server, 'traveller');
    const watch = traveller.live.watchSession(id);
    await until('live', () => watch.state.value.type === 'live');

    traveller.away = true;
    traveller.cut();
    await until('gone', () => watch.state.value.type === 'stale');
    await play(world, id, 600, random);
    const message = newId<ItemId>('itm');
    await world.put(id, { id: message, kind: 'agent_message', status: 'streaming', data: { text: '' } });
    for (const word of ['still ', 'talking ']) world.grow(id, message, word);
    traveller.away = false;
    await until('back', () => watch.state.value.type === 'live');
    world.grow(id, message, 'on');
    await until('the last word', () => JSON.stringify(watch.view?.items.get(message)?.data).includes('on"'));

    expect(watch.view?.items.get(message)?.data).toEqual({ text: 'still talking on' });
    expect(itemsOf(watch).slice(0, -1)).toEqual(truthOf(world, id).slice(0, -1));
    expect(traveller.asked.filter((path) => path !== '/api/v1/tui/connect')).toEqual([
      `/api/v1/sessions/${id}/snapshot`,
    ]);
  });
});
