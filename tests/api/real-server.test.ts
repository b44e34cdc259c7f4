import { setImmediate as turn } from 'node:timers/promises';
import { connectLive, createClient, type Live, type SessionWatch } from '@maestro/client';
import type { Item } from '@maestro/protocol';
import { type Route, routes } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type House, hasEnded, startHouse, until as untilShown } from '../support/house.ts';
import { pathOf, request } from './support/request.ts';
import { seeded, until } from './support/until.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

const itemsOf = (watch: SessionWatch): (Item | undefined)[] =>
  (watch.view?.order ?? []).map((id) => watch.view?.items.get(id));

/** Writes that cannot succeed with these bodies. The others take no body, or any. */
const bodyless = new Set([
  'connect',
  'browserLogout',
  'browserCode',
  'interrupt',
  'deleteSession',
  'putBlob',
]);
const refusing = Object.values<Route>(routes).filter(
  (route) => route.method !== 'GET' && !route.open && !bodyless.has(route.id),
);

describe('the whole server', () => {
  it('a socket cut 100 times at random during a stream ends with the items of one that was never cut (U2)', async () => {
    const { url, token } = house.server;
    const sockets: WebSocket[] = [];
    const asked: string[] = [];
    const client = createClient({
      base_url: url,
      token,
      ask: (input, init) => {
        asked.push(new URL(input).pathname);
        return fetch(input, init);
      },
    });
    const shaken: Live = connectLive({
      client,
      base_url: url,
      token,
      name: 'shaken',
      times: { first: 1, longest: 4 },
      socket: (address, bearer) => {
        const ws = new WebSocket(address, { headers: { authorization: `Bearer ${bearer}` } });
        sockets.push(ws);
        return ws;
      },
    });
    const session = await house.session();
    const [whole, cutUp] = [house.live.watchSession(session.id), shaken.watchSession(session.id)];
    await until('both live', () => [whole, cutUp].every((watch) => watch.state.value.type === 'live'));

    const random = seeded(100);
    const send = (text: string): Promise<{ turn_id?: string }> =>
      house.client.sendMessage({ params: { session_id: session.id }, body: { text } });
    await send('write 900 words at 300 tokens per second');
    await send('write file note.txt: hello');
    let cuts = 0;
    while (cuts < 100) {
      await until('a socket to cut', () => shaken.state.value.type === 'live');
      for (let turns = Math.floor(random() * 400); turns > 0; turns -= 1) await turn();
      sockets.at(-1)?.terminate();
      cuts += 1;
      await until('the cut to be seen', () => shaken.state.value.type !== 'live');
      if (whole.view?.turn?.status !== 'running') await send('write 300 words at 300 tokens per second');
    }
    await untilShown(whole, () => hasEnded(whole) && whole.view?.queue.length === 0, 'the turn ends');
    await until(
      'it caught up',
      () => cutUp.state.value.type === 'live' && cutUp.view?.seq === whole.view?.seq,
    );

    expect(itemsOf(cutUp)).toEqual(itemsOf(whole));
    expect(cutUp.view?.session).toEqual(whole.view?.session);
    const truth = await house.client.listItems({ params: { session_id: session.id }, query: { limit: 500 } });
    expect(itemsOf(whole)).toEqual(truth.items);
    expect(asked.filter((path) => path.endsWith('/snapshot'))).toHaveLength(1);
    shaken.close();
  });

  it.each(refusing)(
    'answers nonsense to $method $path with a 4xx and changes nothing (Q2)',
    async (route) => {
      const session = await house.session();
      const params = { session_id: session.id };
      const before = await house.client.snapshot({ params });
      const credentials = await house.client.credentials();
      const path = pathOf(route).replace('/sessions/nobody', `/sessions/${session.id}`);
      const headers = { authorization: `Bearer ${house.server.token}`, 'content-type': 'application/json' };
      const bodies = [
        '{',
        '[]',
        '{"nothing": true}',
        '{"text": 5}',
        '{"text": ""}',
        JSON.stringify({ text: 'x'.repeat(10_000_000) }),
      ];
      for (const body of bodies) {
        const answer = await request(house.server.url, route.method, path, headers, body);
        expect([body.slice(0, 20), Math.floor(answer.status / 100)]).toEqual([body.slice(0, 20), 4]);
      }
      expect(await house.client.snapshot({ params })).toEqual(before);
      expect(await house.client.credentials()).toEqual(credentials);
    },
  );
});
