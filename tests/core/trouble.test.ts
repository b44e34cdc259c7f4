import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionWatch } from '@maestro/client';
import type { ItemId } from '@maestro/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { family, isRunning } from '../../bench/support/machine.ts';
import { type House, hasEnded, items, itemsOf, startHouse, until } from '../support/house.ts';
import { temporaryFolder } from '../support/temporary.ts';

let house: House;
afterEach(() => house[Symbol.asyncDispose]());

const params = (watch: SessionWatch) => ({ session_id: watch.id });
const textOf = (watch: SessionWatch): string =>
  itemsOf(watch, 'agent_message')
    .map((item) => item.data.text)
    .join('');
const shown = (watch: SessionWatch) => {
  const session = watch.view?.session;
  return `${session?.status} ${session?.waiting_for}`;
};
const health = async (): Promise<{ status: number; database: string }> => {
  const response = await house.server.fetch('/health');
  const { database } = (await response.json()) as { database: string };
  return { status: response.status, database };
};
/** Asks until something holds; passing the deadline is a failure. */
const eventually = async (holds: () => Promise<boolean>, what: string): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const postmaster = (data: string): number => {
  const file = readdirSync(data, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.name === 'postmaster.pid',
  );
  return file ? Number(readFileSync(join(file.parentPath, file.name), 'utf8').split('\n')[0]) : 0;
};
const signal = (pids: readonly number[], name: NodeJS.Signals): void => {
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, name);
};
/** What the agent says to it, undisturbed. */
const undisturbed = async (text: string): Promise<string> => {
  const watch = await house.ask((await house.session()).id, text);
  return textOf(watch);
};

describe('a database that goes away under running turns (S9)', () => {
  it('waits while it hangs, keeps the text, refuses writes in words, and goes on when it is back', async () => {
    house = await startHouse();
    house.simulator.configure({ tokens_per_second: 0 });
    const whole = await undisturbed('write 90 words about trains');
    const watch = house.live.watchSession((await house.session()).id);
    await until(watch, () => watch.state.value.type === 'live', 'it is live');
    const cards = house.live.watchCards();
    await house.client.sendMessage({
      params: params(watch),
      body: { text: 'write 90 words about trains at 60 tokens per second' },
    });
    await until(watch, () => textOf(watch).length > 30, 'text streams');

    const database = family(postmaster(house.server.data));
    signal(database, 'SIGSTOP');
    const before = textOf(watch).length;
    try {
      await until(watch, () => textOf(watch).length > before + 100, 'text goes on without the database');
      await until(watch, () => shown(watch) === 'waiting store', 'it is shown as waiting');
      expect(watch.state.value.type).toBe('live');
      expect(cards.get(watch.id)).toMatchObject({ waiting_for: 'store' });
      await expect(
        house.client.sendMessage({
          params: params(watch),
          body: { text: 'hello', id: 'itm_later' as ItemId },
        }),
      ).rejects.toMatchObject({ status: 503, code: 'unavailable', retry_after_s: expect.any(Number) });
      await eventually(async () => (await health()).database === 'down', 'health says that it is down');
      expect((await health()).status).toBe(503);
    } finally {
      signal(database, 'SIGCONT');
    }
    await until(watch, () => hasEnded(watch) && shown(watch) === 'idle null', 'the turn ends');
    expect(watch.view?.turn?.status).toBe('done');
    expect(textOf(watch)).toBe(whole);
    await eventually(async () => (await health()).status === 200, 'health says that it is up');
    await house.client.sendMessage({
      params: params(watch),
      body: { text: 'say hello', id: 'itm_later' as ItemId },
    });
    await until(
      watch,
      () => itemsOf(watch, 'user_message').length === 2 && hasEnded(watch),
      'it is answered',
    );
    const { items: stored } = await house.client.listItems({ params: params(watch), query: {} });
    expect(stored).toEqual(items(watch));
  });

  it('loses and doubles nothing when it is killed in the middle of turns', async () => {
    house = await startHouse();
    house.simulator.configure({ tokens_per_second: 0 });
    const whole = await undisturbed('write 120 words about bridges');
    const sessions = await Promise.all(
      ['anthropic', 'openai', 'gemini', 'ollama'].map((provider) =>
        house.session({
          provider: provider as 'anthropic',
          working_directory: house.folder({ 'input.txt': 'abc' }),
        }),
      ),
    );
    const watches = sessions.map((session) => house.live.watchSession(session.id));
    for (const watch of watches)
      await house.client.sendMessage({
        params: params(watch),
        body: { text: 'write 120 words about bridges at 60 tokens per second' },
      });
    for (const watch of watches) await until(watch, () => textOf(watch).length > 60, 'text streams');
    signal(family(postmaster(house.server.data)), 'SIGKILL');
    for (const watch of watches) {
      await until(watch, () => hasEnded(watch) && shown(watch) === 'idle null', 'its turn ends');
      expect(watch.view?.turn?.status).toBe('done');
      expect(textOf(watch)).toBe(whole);
      expect(
        items(watch)
          .map((item) => item.kind)
          .filter((kind) => kind !== 'thought'),
      ).toEqual(['user_message', 'agent_message']);
    }
    expect(house.server.stderr()).toContain('postgres.restarted');
  });
});

const canMount = (): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = temporaryFolder('mount');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const mountable = canMount();

// A disk can only be made full where one may be mounted: as root on Linux.
const onSmallDisk = mountable ? it : () => undefined;

describe('a full disk (S9)', () => {
  it('is tried wherever a small one can be mounted', () => {
    if (process.platform === 'linux' && process.getuid?.() !== 0) expect(mountable).toBe(false);
  });

  onSmallDisk('waits, keeps the text, refuses writes in words, and goes on when there is room', async () => {
    const disk = temporaryFolder('disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=0711', 'tmpfs', disk]);
    try {
      house = await startHouse({ data: join(disk, 'data') });
      const folder = house.folder();
      const watch = house.live.watchSession((await house.session({ working_directory: folder })).id);
      const other = house.live.watchSession((await house.session()).id);
      await until(watch, () => watch.state.value.type === 'live', 'it is live');
      await house.client.sendMessage({
        params: params(watch),
        body: { text: 'run until [ -e go ]; do sleep 0.1; done; head -c 700000 /dev/urandom | base64' },
      });
      await until(watch, () => itemsOf(watch, 'tool_call')[0]?.status === 'running', 'the command runs');
      const ballast = join(disk, 'ballast');
      execFileSync('sh', ['-c', `cat /dev/zero > '${ballast}' 2>/dev/null || true`]);
      const acknowledged: string[] = [];
      const noise = (): string =>
        Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))
          .toString('base64')
          .repeat(6);
      let refused: unknown;
      for (let n = 0; n < 100 && !refused; n += 1) {
        const id = `itm_big_${n}` as ItemId;
        await house.client
          .sendMessage({ params: params(other), body: { id, text: `say ${noise()}` } })
          .then(() => acknowledged.push(id))
          .catch((error: unknown) => {
            refused = error;
          });
      }
      expect(refused).toMatchObject({ status: 503, code: 'unavailable', retry_after_s: expect.any(Number) });
      writeFileSync(join(folder, 'go'), '');
      await until(watch, () => shown(watch) === 'waiting store', 'it is shown as waiting');
      rmSync(ballast);
      await until(watch, () => hasEnded(watch) && shown(watch) === 'idle null', 'the turn ends');
      const [call] = itemsOf(watch, 'tool_call');
      expect(call).toMatchObject({ status: 'done', data: { output_blob: expect.any(String) } });
      expect(watch.view?.turn?.status).toBe('done');
      await eventually(async () => {
        const { items: stored } = await house.client.listItems({
          params: params(other),
          query: { limit: 500 },
        });
        const { queue } = await house.client.getQueue({ params: params(other) });
        const there = new Set<string>([...stored.map((item) => item.id), ...queue.map((entry) => entry.id)]);
        return acknowledged.every((id) => there.has(id));
      }, 'every acknowledged message is there');
    } finally {
      await house[Symbol.asyncDispose]();
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true, force: true });
    }
  });
});

describe('SIGTERM while a tool runs (S9, Q7)', () => {
  it('ends with 0 in time, leaves no process behind, says what happened, and the next start resumes', async () => {
    house = await startHouse();
    const folder = house.folder();
    const session = await house.session({ working_directory: folder });
    const watch = house.live.watchSession(session.id);
    await house.client.sendMessage({
      params: params(watch),
      body: { text: 'run echo $$ > pid; sleep 600 & echo $! >> pid; trap "" TERM; sleep 600' },
    });
    const file = join(folder, 'pid');
    const pids = (): number[] =>
      existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
    await eventually(async () => pids().length === 2, 'the command runs');
    const database = postmaster(house.server.data);
    const from = performance.now();
    expect(await house.server.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(pids().filter(isRunning)).toEqual([]);
    expect(isRunning(database)).toBe(false);

    await house.crash();
    const again = house.live.watchSession(session.id);
    await until(again, () => again.view !== undefined, 'it is there again');
    expect(again.view?.turn).toMatchObject({
      status: 'interrupted',
      reason: 'The server was shut down while this turn ran.',
    });
    expect(again.view?.session.status).toBe('idle');
    expect(itemsOf(again, 'tool_call')[0]).toMatchObject({
      status: 'cancelled',
      data: { error: expect.stringContaining('the server was shut down') },
    });
    writeFileSync(file, '');
    house.simulator.script([{ steps: [{ type: 'text', text: 'I go on.' }] }], {});
    await house.client.resume({ params: params(again) });
    await until(again, () => again.view?.turn?.status === 'done', 'the resumed turn is done');
    expect(textOf(again)).toContain('I go on.');
  });
});
