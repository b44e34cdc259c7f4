import type { ProviderEvent } from '@maestro/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestStores, testStores } from '../../packages/store/src/testing.ts';
import { startEngine, type TestEngine } from './support/engine.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

/** Begins to answer and goes on until it is stopped; it ends when it may. */
const endless = (begun: () => void, stopped: () => void, mayEnd: Promise<void>) =>
  async function* (_: unknown, signal: AbortSignal): AsyncGenerator<ProviderEvent> {
    yield { type: 'block_start', block: 0, kind: 'text' };
    begun();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    stopped();
    await mayEnd;
    const error = { cause: 'aborted', message: 'Stopped.' } as const;
    yield { type: 'error', error, usage: null, response: null, exchange: null };
  };

const startOther = async (): Promise<TestEngine> =>
  startEngine({ stores: { ...stores, ...(await stores.another()) }, auto_resume: true });

const atWork = async (mayEnd = Promise.resolve()) => {
  const [begun, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const house = await startEngine({ stores, stream: endless(begun.resolve, stopped.resolve, mayEnd) });
  const { id } = await house.session();
  await house.send(id, 'hello');
  await begun.promise;
  return { house, id, stopped: stopped.promise };
};

describe('an engine that stops for others to go on (S8)', () => {
  it('hands over the turn that ran; who is told of it late finds nothing to begin again', async () => {
    const { house, id } = await atWork();
    expect(await house.engine.handOver()).toEqual([id]);
    await using next = await startOther();
    expect((await next.engine.recover()).resumed).toBe(1);
    expect(await next.ended(id)).toMatchObject({ status: 'done' });
    await next.engine.drain();
    await using third = await startOther();
    expect(await third.engine.takeOver(id)).toBe(false);
    expect((await third.items(id)).filter((item) => item.kind === 'agent_message')).toHaveLength(2);
  });

  it('lets the turn go on where a word of it comes first', async () => {
    const { house, id } = await atWork();
    await house.engine.handOver();
    await using next = await startOther();
    expect(await next.engine.takeOver(id)).toBe(true);
    expect(await next.ended(id)).toMatchObject({ status: 'done' });
  });

  it('does not hand over what a person stopped just then', async () => {
    const mayEnd = Promise.withResolvers<void>();
    const { house, id, stopped } = await atWork(mayEnd.promise);
    const interrupted = house.engine.interrupt(id);
    await stopped;
    const handed = house.engine.handOver();
    mayEnd.resolve();
    expect(await handed).toEqual([]);
    expect((await interrupted).ok).toBe(true);
    await using next = await startOther();
    await next.engine.recover();
    expect(await next.engine.takeOver(id)).toBe(false);
    expect(await next.ended(id)).toMatchObject({ status: 'interrupted' });
  });
});
