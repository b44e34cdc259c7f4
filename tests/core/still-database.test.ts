import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionWatch } from '@maestro/client';
import { type ItemId, newId } from '@maestro/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { family, isRunning } from '../../bench/support/machine.ts';
import { type House, hasEnded, items, itemsOf, startHouse, until } from '../support/house.ts';

let house: House;
/** The processes of the managed PostgreSQL that were stopped. */
let database: readonly number[];
beforeEach(async () => {
  database = [];
  house = await startHouse();
});
afterEach(async () => {
  signal(database, 'SIGCONT');
  await house[Symbol.asyncDispose]();
});

const params = (watch: SessionWatch) => ({ session_id: watch.id });
const textOf = (watch: SessionWatch): string => itemsOf(watch, 'agent_message').at(-1)?.data.text ?? '';
const signal = (pids: readonly number[], name: NodeJS.Signals): void => {
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, name);
};
const postmaster = (): number =>
  Number(readFileSync(join(house.server.data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
/** As a person does with `kill -STOP`, or a debugger. */
const standStill = (pids = family(postmaster())): void => {
  database = pids;
  signal(database, 'SIGSTOP');
};

/** A turn that streams, after an answered one. `told`: what the server has said that it has. */
const atWork = async (): Promise<{ watch: SessionWatch; told: ItemId[] }> => {
  const watch = house.live.watchSession((await house.session()).id);
  const told = [newId<ItemId>('itm'), newId<ItemId>('itm'), newId<ItemId>('itm')];
  const texts = ['say hello', 'write 400 words at 30 tokens per second', 'say something later'];
  for (const [n, text] of texts.entries()) {
    const { turn_id } = await house.client.sendMessage({
      params: params(watch),
      body: { id: told[n], text },
    });
    if (n === 0) await until(watch, () => hasEnded(watch, turn_id), 'it is answered');
    if (n === 1) await until(watch, () => textOf(watch).length > 100, 'text streams');
  }
  return { watch, told };
};

/** Everything that was told is there, and the server works. */
const goesOn = async (before: SessionWatch, told: readonly ItemId[]): Promise<void> => {
  const watch = house.live.watchSession(before.id);
  await until(watch, () => watch.state.value.type === 'live', 'it is there again');
  expect(watch.view?.turn?.status).toBe('interrupted');
  const known = [...items(watch).map((item) => item.id), ...(watch.view?.queue.map(({ id }) => id) ?? [])];
  expect(told.filter((id) => !known.some((each) => String(each) === String(id)))).toEqual([]);
  const { turn_id } = await house.client.resume({ params: params(watch) });
  await until(watch, () => textOf(watch).length > 0 && watch.view?.turn?.id === turn_id, 'it goes on');
};

describe('a managed PostgreSQL that stands still (S1, S9, Q7)', () => {
  it('is ended with its server, in time; the next start has all that was told', async () => {
    const { watch, told } = await atWork();
    standStill();
    const from = performance.now();
    expect(await house.server.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(database.filter(isRunning)).toEqual([]);
    await house.crash();
    await goesOn(watch, told);
  });

  it.each(['all of it', 'its first process', 'and was told to end'] as const)(
    'does not keep the next start from working after a kill -9 of its server: %s',
    async (how) => {
      const { watch, told } = await atWork();
      standStill(how === 'its first process' ? [postmaster()] : family(postmaster()));
      if (how === 'and was told to end') signal([postmaster()], 'SIGINT');
      await house.server.kill('SIGKILL');
      await house.crash();
      await goesOn(watch, told);
    },
  );
});
