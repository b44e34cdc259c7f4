import { type Client, connectLive, createClient, type SessionWatch } from '@maestro/client';
import { type Item, type ItemId, newId, type SessionId } from '@maestro/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../api/support/server.ts';
import { until } from '../api/support/until.ts';

let server: TestServer;
let client: Client;
let live: ReturnType<typeof connectLive>;
beforeAll(async () => {
  server = await startServer();
  const there = { base_url: server.http.url, token: server.token.current() };
  client = createClient(there);
  live = connectLive({ ...there, client, name: 'test' });
});
afterAll(async () => {
  live.close();
  await server.close();
});

const held = (watch: SessionWatch): Item[] =>
  (watch.view?.order ?? []).flatMap((id) => watch.view?.items.get(id) ?? []);

const message = (id: SessionId, item = newId<ItemId>('itm')): Promise<Item> =>
  server.world.put(id, { id: item, kind: 'user_message', status: 'done', data: { text: 'hello' } });

/** A session that a client of this server watches; `lose` says which of the events from the owner never arrive. */
const followed = async (lose: () => boolean): Promise<{ id: SessionId; watch: SessionWatch }> => {
  const { id } = server.world.newSession();
  server.world.publish = (events) =>
    server.hub.receive(
      events
        .filter(() => !lose())
        .map((event) => ('seq' in event ? { event, prev: event.seq - 1 } : { event })),
    );
  const watch = live.watchSession(id);
  await until('it is live', () => watch.state.value.type === 'live');
  return { id, watch };
};

describe('events that were lost between two servers (S8)', () => {
  it('are read from the database when the next one shows the gap', async () => {
    let losing = true;
    const { id, watch } = await followed(() => losing);
    const lost = await message(id);
    losing = false;
    const seen = await message(id);
    await until('it is there', () => held(watch).length === 2);
    expect(held(watch)).toEqual([lost, seen]);
    watch.close();
  });

  it('are read when the owner names a seq that never came', async () => {
    const { id, watch } = await followed(() => true);
    const lost = await message(id);
    server.hub.catchUp(`session:${id}`, lost.seq);
    await until('it is there', () => held(watch).length === 1);
    watch.close();
  });

  it('cost nothing when there are none', async () => {
    const { id, watch } = await followed(() => false);
    let reads = 0;
    server.world.pause = async () => {
      reads += 1;
    };
    const put = await Promise.all([1, 2, 3].map(() => message(id)));
    server.hub.catchUp(`session:${id}`, put.at(-1)?.seq);
    await until('it is there', () => held(watch).length === 3);
    // The world pauses once for each item it puts; reading the feed would pause too.
    expect(reads).toBe(3);
    server.world.pause = () => Promise.resolve();
    watch.close();
  });

  it('never leave a hole, whichever they are (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (losses) => {
        let at = 0;
        const { id, watch } = await followed(() => losses[at++ % losses.length] ?? false);
        for (let n = 0; n < 12; n += 1) {
          const item = newId<ItemId>('itm');
          const put = (status: 'streaming' | 'done', text: string) =>
            server.world.put(id, { id: item, kind: 'agent_message', status, data: { text } });
          await put('streaming', '');
          for (const text of ['one ', 'two ', 'three']) server.world.grow(id, item, text);
          await put('done', 'one two three');
        }
        const world = server.world.get(id);
        // What the owner's next beat does.
        server.hub.catchUp(`session:${id}`, world.seq);
        const whole = [...world.items.values()];
        await until('it is whole', () => JSON.stringify(held(watch)) === JSON.stringify(whole));
        watch.close();
      }),
      { numRuns: 40 },
    );
  });
});
