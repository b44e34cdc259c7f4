import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionWatch } from '@maestro/client';
import { type Item, type ItemId, newId, type Session } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, items, startHouse, until, wires } from '../support/house.ts';

const kills = 20;
const open: readonly Item['status'][] = ['streaming', 'running', 'pending', 'queued'];

/** The same sequence on every run: a fault can be met again. */
const seeded = (seed: number) => () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x7fffffff;
};

describe('kill -9 of the server at random moments (S9)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
    house.simulator.configure({ tokens_per_second: 150 });
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it(`loses no acknowledged message in ${kills} crashes, marks each turn and finishes it when resumed`, {
    timeout: 240_000,
  }, async () => {
    const random = seeded(20_261_121);
    const sessions: Session[] = [];
    for (const { provider, model } of wires)
      sessions.push(
        await house.session({
          provider,
          model,
          working_directory: house.folder({ 'input.txt': 'some words' }),
        }),
      );
    /** Ids the server has answered 202 for, by session. */
    const acknowledged = new Map<string, Set<string>>(sessions.map((session) => [session.id, new Set()]));
    /** Items a client has seen in their final state. */
    const settled = new Map<ItemId, string>();
    let interrupted = 0;

    for (let kill = 0; kill < kills; kill += 1) {
      const watches = sessions.map((session) => house.live.watchSession(session.id));
      for (const watch of watches)
        await until(watch, () => watch.state.value.type === 'live', 'the session is live');
      await Promise.all(watches.map((watch) => wake(watch, random())));
      const enough = Math.floor(random() * 120);
      await changes(watches, enough);
      for (const item of watches.flatMap(items))
        if (!open.includes(item.status)) settled.set(item.id, JSON.stringify(item.data));
      await house.crash();

      for (const session of sessions) {
        const { items: kept, has_more } = await house.client.listItems({
          params: { session_id: session.id },
          query: { limit: 500 },
        });
        expect(has_more).toBe(false);
        const { queue } = await house.client.getQueue({ params: { session_id: session.id } });
        const there = new Set<string>([...kept.map((item) => item.id), ...queue.map((entry) => entry.id)]);
        expect([...(acknowledged.get(session.id) ?? [])].filter((id) => !there.has(id))).toEqual([]);
        expect(
          kept.filter((item) => open.includes(item.status)).map((item) => [item.kind, item.status]),
        ).toEqual([]);
        expect(new Set(kept.map((item) => item.position)).size).toBe(kept.length);
        for (const item of kept)
          if (settled.has(item.id)) expect(JSON.stringify(item.data)).toBe(settled.get(item.id));
        const { session: now } = await house.client.getSession({ params: { session_id: session.id } });
        expect(['idle', 'failed']).toContain(now.status);
        const { turn } = await house.client.snapshot({ params: { session_id: session.id }, query: {} });
        if (turn?.status === 'interrupted') interrupted += 1;
        else expect(turn?.status).toBe('done');
      }
    }
    expect(interrupted).toBeGreaterThan(kills);

    house.simulator.configure({ tokens_per_second: 0 });
    for (const session of sessions) {
      const watch = house.live.watchSession(session.id);
      await until(watch, () => watch.state.value.type === 'live', 'the session is live');
      if (watch.view?.turn?.status === 'interrupted') {
        await house.client.resume({ params: { session_id: session.id } });
        await until(watch, () => watch.view?.turn?.status === 'running', 'it runs again');
      }
      await until(watch, () => hasEnded(watch) && watch.view?.queue.length === 0, 'everything is answered');
      expect(watch.view?.turn?.status).toBe('done');
      await house.ask(session.id, 'read input.txt and write its upper case to out.txt');
      expect(readFileSync(join(session.working_directory, 'out.txt'), 'utf8')).toBe('SOME WORDS');
    }
    // What a vendor would refuse was never sent: each history after each crash was well-formed.
    expect(
      house.simulator.requests.filter((request) => request.refused).map((request) => request.refused),
    ).toEqual([]);

    /** Gives a session something to do: a new message, or its interrupted turn again. */
    async function wake(watch: SessionWatch, chance: number): Promise<void> {
      const params = { session_id: watch.id };
      if (watch.view?.turn?.status === 'interrupted' && chance < 0.6) {
        await house.client.resume({ params });
        return;
      }
      const id = newId<ItemId>('itm');
      const text =
        chance % 0.1 < 0.05 ? 'read input.txt and write its upper case to out.txt' : 'write 80 words';
      await house.client.sendMessage({ params, body: { id, text } });
      acknowledged.get(watch.id)?.add(id);
    }
  });

  it('adopts the database that was left running', () => {
    expect(house.server.stderr()).toContain('"adopted":true');
    expect(existsSync(join(house.server.data, 'postgres', 'postmaster.pid'))).toBe(true);
  });
});

/** Resolves after so many changes on any of the sessions, or when all have come to rest. */
const changes = (watches: readonly SessionWatch[], enough: number): Promise<void> =>
  new Promise((resolve) => {
    let seen = 0;
    const look = (): void => {
      seen += 1;
      if (seen < enough && watches.some((watch) => !hasEnded(watch))) return;
      for (const stop of stops) stop();
      resolve();
    };
    const stops = watches.map((watch) => watch.onChange(look));
    look();
  });
