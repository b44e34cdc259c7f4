import type { LoginClient } from '@maestro/ports';
import type { FlowId, LoginFlow, LoginMethod } from '@maestro/protocol';
import { type TestStores, testStores } from '@maestro/store/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeVendor, type FlowsWorld, fakeVendor, flowsOn } from './support/flows.ts';

let stores: TestStores;
let world: FlowsWorld;
let slow: FakeVendor;
/** Lets the vendor answer. */
let answer: () => void;
beforeAll(async () => {
  stores = await testStores();
});
beforeEach(async () => {
  await stores.query('delete from oauth_flows');
  await stores.query('delete from saved_authentications');
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = resolve;
  slow = fakeVendor({
    exchange: async ({ code }: Parameters<LoginClient['exchange']>[0]) => {
      slow.exchanged.push(code);
      await promise;
      return slow.next;
    },
  });
  world = flowsOn(stores, slow.client);
});
afterAll(() => stores.close());

const begin = async (method: LoginMethod): Promise<LoginFlow> => {
  const started = await world.flows.start('openai', { method, name: 'default', acknowledge_terms: true });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
};
const begunOf = async (flow: LoginFlow) => {
  const login = await stores.logins.get(flow.id);
  if (!login) throw new Error('The flow is gone.');
  return login.begun;
};
const stateOf = async (flow: LoginFlow) => (await stores.logins.get(flow.id))?.flow.state;
const visit = (address: string): Promise<number> => fetch(address).then(({ status }) => status);

describe('a code that is being exchanged (P8)', () => {
  it('is one exchange though the page is loaded again, and both pages tell its end', async () => {
    let reads = 0;
    const counting = {
      ...stores,
      logins: {
        ...stores.logins,
        get: async (id: FlowId) => {
          const found = await stores.logins.get(id);
          reads += 1;
          return found;
        },
      },
    };
    world = flowsOn(counting, slow.client);
    const { redirect_uri, state } = await begunOf(await begin('callback'));
    const address = `${redirect_uri}?code=once&state=${state}`;
    const first = visit(address);
    await expect.poll(() => slow.exchanged).toEqual(['once']);
    expect(await visit(`${redirect_uri}?code=once&state=other`)).toBe(409);
    const before = reads;
    const second = visit(address);
    await expect.poll(() => reads).toBeGreaterThan(before);
    answer();
    expect([await first, await second]).toEqual([200, 200]);
    expect(slow.exchanged).toEqual(['once']);
  });

  it('ends even where the database is away just when its tokens are stored', async () => {
    let away = 3;
    const hindered = {
      ...stores,
      logins: {
        ...stores.logins,
        move: async (...input: Parameters<typeof stores.logins.move>) => {
          if (input[2].state === 'done' && away-- > 0) throw new Error('The database is away.');
          return stores.logins.move(...input);
        },
      },
    };
    world = flowsOn(hindered, slow.client);
    const flow = await begin('paste');
    answer();
    expect(await world.flows.complete(flow.id, 'code')).toMatchObject({ ok: true });
    expect(await stateOf(flow)).toBe('done');
    expect(away).toBeLessThan(0);
  });

  it('is waited for by a stop, and its login is kept', async () => {
    const flow = await begin('callback');
    const { redirect_uri, state } = await begunOf(flow);
    const browser = visit(`${redirect_uri}?code=last&state=${state}`);
    await expect.poll(() => slow.exchanged).toEqual(['last']);
    world.flows.close();
    const stopped = world.flows.settle(10_000);
    answer();
    await stopped;
    expect(await stateOf(flow)).toBe('done');
    expect(await browser).toBe(200);
  });

  it('is not waited for for ever', async () => {
    const flow = await begin('paste');
    const completing = world.flows.complete(flow.id, 'code');
    await expect.poll(() => slow.exchanged).toEqual(['code']);
    world.flows.close();
    await world.flows.settle(10);
    expect(await stateOf(flow)).toBe('exchanging');
    answer();
    await completing;
  });
});
