import { expect, it } from 'vitest';
import { testStores } from '../../packages/store/src/testing.ts';
import { startEngine } from './support/engine.ts';

it('does not take a lease from a command that comes while an idle session is given back (S8, S9)', async () => {
  const stores = await testStores();
  const { promise: giving, resolve: begun } = Promise.withResolvers<void>();
  const { promise: late, resolve: letGo } = Promise.withResolvers<void>();
  const slow: typeof stores.sessions = {
    ...stores.sessions,
    release: async (lease) => {
      begun();
      await late;
      await stores.sessions.release(lease);
    },
  };
  const house = await startEngine({ stores: { ...stores, sessions: slow }, lease_ms: 2_000, idle_ms: 0 });
  const session = await house.session();
  await house.send(session.id, 'first');
  await house.ended(session.id);
  await giving;
  const sent = house.engine.send(session.id, { text: 'second', deliver: 'queue' });
  letGo();
  expect(await sent).toMatchObject({ ok: true });
  expect((await house.ended(session.id)).status).toBe('done');
  await house[Symbol.asyncDispose]();
});
