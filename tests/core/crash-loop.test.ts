import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestStores, testStores } from '../../packages/store/src/testing.ts';
import { says, startEngine, type TestEngine } from './support/engine.ts';

let stores: TestStores;
const houses: TestEngine[] = [];
beforeAll(async () => {
  stores = await testStores();
});
afterAll(async () => {
  for (const house of houses) await house[Symbol.asyncDispose]();
  await stores.close();
});

/** A server that goes on with what others left, and whose provider never answers. */
const start = async (stream?: ReturnType<typeof says>) => {
  const asked = Promise.withResolvers<void>();
  const house = await startEngine({
    stores,
    auto_resume: true,
    stream:
      stream ??
      async function* () {
        asked.resolve();
        yield { type: 'block_start', block: 0, kind: 'text' };
        await new Promise<never>(() => undefined);
      },
  });
  houses.push(house);
  return { ...house, asked: asked.promise };
};
/** As if the server that holds the sessions had died. */
const die = () =>
  stores.query(
    `update sessions set lease_owner = 'dead', lease_epoch = lease_epoch + 1, lease_until = now() - interval '1 second'`,
  );

describe('a turn that takes its servers with it (S8, S9)', () => {
  it('goes on by itself three times, then it is given up in words until somebody resumes it', async () => {
    let house = await start();
    const { id } = await house.session();
    await house.send(id, 'hello');
    await house.asked;
    for (let crash = 1; crash <= 3; crash += 1) {
      await die();
      house = await start();
      expect(await house.engine.recover()).toEqual({ marked: 1, resumed: 1 });
      await house.asked;
    }
    await die();
    house = await start(says('At last.'));
    expect(await house.engine.recover()).toEqual({ marked: 1, resumed: 0 });
    expect(await stores.sessions.lastTurn(id)).toMatchObject({
      status: 'failed',
      cause: 'crash',
      reason: expect.stringContaining('4 times'),
    });
    expect(await stores.sessions.get(id)).toMatchObject({ status: 'failed' });
    expect((await house.items(id)).at(-1)?.data).toMatchObject({
      code: 'turn_failed',
      remedy: expect.stringContaining('resume'),
    });

    expect(await house.engine.resume(id)).toMatchObject({ ok: true });
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
  });
});
