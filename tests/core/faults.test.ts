import { defineTool, type ProviderEvent } from '@maestro/ports';
import { noUsage } from '@maestro/protocol';
import { createProvider, createTokenCounter, createWire, loadProfiles } from '@maestro/providers';
import { startSimulator } from '@maestro/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anthropic } from '../../packages/providers/src/vendors/anthropic/anthropic.ts';
import { type TestStores, testStores } from '../../packages/store/src/testing.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { calls, done, says, startEngine } from './support/engine.ts';

const key = { auth_type: 'api_key', secret: 'sk-ant-x', source: 'test', profile: null } as const;
const open = ['streaming', 'running', 'pending', 'queued'];
let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const never = new Promise<never>(() => undefined);

const tool = (name: string, execute: () => Promise<never>, summary = () => 'Does it') =>
  defineTool({
    name,
    title: 'A tool of this test',
    description: 'For this test.',
    kind: 'write',
    input: z.object({}),
    touches: () => [],
    summary,
    execute,
  });

/** Fails once as told, then answers. */
const first = (broken: (signal: AbortSignal) => AsyncIterable<ProviderEvent>) => {
  let asked = 0;
  return (request: Parameters<ReturnType<typeof says>>[0], signal: AbortSignal) => {
    asked += 1;
    return asked === 1 ? broken(signal) : says('Well again.')(request, signal);
  };
};

describe('faults of the parts a turn uses (P10, S9)', () => {
  it('ends in words what a provider throws, keeps what had arrived, and the next message is answered', async () => {
    await using house = await startEngine({
      stores,
      stream: first(async function* () {
        yield { type: 'block_start', block: 0, kind: 'text' };
        yield { type: 'delta', block: 0, text: 'Half a sen' };
        throw new Error('a fault of the provider');
      }),
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({
      status: 'failed',
      cause: 'internal',
      reason: expect.stringContaining('a fault of the provider'),
    });
    const [, said, notice] = await house.items(id);
    expect(said).toMatchObject({ kind: 'agent_message', status: 'failed', data: { text: 'Half a sen' } });
    expect(notice?.data).toMatchObject({ code: 'turn_failed', remedy: expect.any(String) });
    await house.send(id, 'again');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
  });

  it('stops an answer that has no end, and tells the provider', async () => {
    let told = false;
    await using house = await startEngine({
      stores,
      answer_chars: 100_000,
      stream: first(async function* (signal) {
        yield { type: 'block_start', block: 0, kind: 'text' };
        while (!signal.aborted) yield { type: 'delta', block: 0, text: 'x'.repeat(1000) };
        told = true;
        const usage = { ...noUsage, response_tokens: 25_000 };
        const error = { cause: 'aborted', message: 'The call was stopped.' } as const;
        yield { type: 'error', error, usage, response: null, exchange: null };
      }),
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({
      status: 'failed',
      cause: 'max_output',
      reason: expect.stringContaining('longer than 100,000 characters'),
    });
    expect(told).toBe(true);
    const said = (await house.items(id)).find((item) => item.kind === 'agent_message');
    expect(said).toMatchObject({ status: 'failed', data: { text: 'x'.repeat(100_000) } });
    expect((await stores.sessions.get(id))?.totals).toMatchObject({ response_tokens: 25_000, calls: 1 });
    await house.send(id, 'again');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
  });

  it('ends a turn whose provider ends without a last event', async () => {
    await using house = await startEngine({
      stores,
      stream: first(async function* () {
        yield { type: 'block_start', block: 0, kind: 'thought' };
      }),
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({ status: 'failed', cause: 'internal' });
    expect((await house.items(id)).filter((item) => open.includes(item.status))).toEqual([]);
  });

  it('stops a turn whose provider does not stop', async () => {
    const started = Promise.withResolvers<void>();
    await using house = await startEngine({
      stores,
      stream: first(async function* () {
        yield { type: 'block_start', block: 0, kind: 'text' };
        yield { type: 'delta', block: 0, text: 'I never end' };
        started.resolve();
        yield await never;
      }),
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    await started.promise;
    expect(await house.engine.interrupt(id)).toMatchObject({ ok: true, value: { status: 'idle' } });
    expect(await house.ended(id)).toMatchObject({ status: 'interrupted', cause: 'aborted' });
    expect((await house.items(id))[1]).toMatchObject({ status: 'cancelled', data: { text: 'I never end' } });
    await house.send(id, 'again');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
  });

  it('tells the model what a tool throws, and goes on', async () => {
    const broken = () => Promise.reject(new Error('a fault of the tool'));
    await using house = await startEngine({
      stores,
      stream: calls('broken'),
      tools: [tool('broken', broken)],
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
    expect((await house.items(id))[1]).toMatchObject({
      kind: 'tool_call',
      status: 'failed',
      data: { error: 'broken failed unexpectedly: a fault of the tool' },
    });
  });

  it('tells the model what a tool throws before it runs, and goes on', async () => {
    const title = (): string => {
      throw new Error('no words for it');
    };
    await using house = await startEngine({
      stores,
      stream: calls('wordless'),
      tools: [tool('wordless', () => never, title)],
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
    expect((await house.items(id))[1]).toMatchObject({ status: 'failed' });
  });

  it('stops a turn whose tool does not stop, and says that its outcome is unknown', async () => {
    const started = Promise.withResolvers<void>();
    const stubborn = () => {
      started.resolve();
      return never;
    };
    await using house = await startEngine({
      stores,
      stream: calls('stubborn'),
      tools: [tool('stubborn', stubborn)],
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    await started.promise;
    await house.engine.interrupt(id);
    expect(await house.ended(id)).toMatchObject({ status: 'interrupted' });
    expect((await house.items(id))[1]).toMatchObject({
      status: 'unknown',
      data: { output: expect.stringContaining('unknown') },
    });
  });

  it('goes on when a publisher throws: what is written is written', async () => {
    let thrown = 0;
    await using house = await startEngine({
      stores,
      stream: says('Nobody hears me.'),
      published: () => {
        thrown += 1;
        throw new Error('a fault of the publisher');
      },
    });
    const { id } = await house.session().catch(async () => {
      const [made] = (await house.stores.sessions.list({ limit: 1, archived: false })).cards;
      if (!made) throw new Error('The session was not made.');
      return made;
    });
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
    expect(thrown).toBeGreaterThan(3);
    expect((await house.items(id))[1]).toMatchObject({ status: 'done', data: { text: 'Nobody hears me. ' } });
  });

  it('stops on the way down within its time although a provider does not stop', async () => {
    const started = Promise.withResolvers<void>();
    await using house = await startEngine({
      stores,
      stream: async function* () {
        yield { type: 'block_start', block: 0, kind: 'text' };
        started.resolve();
        yield await never;
      },
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    await started.promise;
    const from = performance.now();
    await house.engine.drain();
    expect(performance.now() - from).toBeLessThan(6_000);
    expect(await house.ended(id)).toMatchObject({
      status: 'interrupted',
      reason: 'The server was shut down while this turn ran.',
    });
    expect(await house.engine.send(id, { text: 'more', deliver: 'queue' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable', retry_after_s: expect.any(Number) },
    });
  });
});

describe('a wall clock that jumps (S4, S9)', () => {
  it('keeps leases, cookies and turns, whatever the time of day is said to be', async () => {
    let jump = 0;
    const clock = { now: () => Date.now() + jump, monotonic: () => performance.now() };
    let words = 0;
    await using house = await startEngine({
      stores,
      clock,
      lease_ms: 300,
      stream: async function* () {
        yield { type: 'block_start', block: 0, kind: 'text' };
        for (; words < 40; words += 1) {
          jump = (words % 2 === 0 ? 1 : -1) * 86_400_000 * (words % 7);
          await new Promise((resolve) => setTimeout(resolve, 25));
          yield { type: 'delta', block: 0, text: `${words} ` };
        }
        yield { type: 'block_end', block: 0 };
        yield done();
      },
    });
    const { id } = await house.session();
    const hash = 'f'.repeat(64);
    await house.stores.browsers.create(hash, new Date(clock.now() + 30 * 86_400_000));
    await house.send(id, 'count');
    expect(await house.ended(id)).toMatchObject({ status: 'done', steps: 1 });
    expect(await house.stores.browsers.touch(hash, 3_600_000)).toBe(true);
    const [asked, said] = await house.items(id);
    expect(said?.data).toMatchObject({ text: expect.stringMatching(/^0 1 2 .* 39 $/) });
    expect(said?.position).toBeGreaterThan(asked?.position ?? 0);
    expect(house.logged.filter((line) => line.includes('lease'))).toEqual([]);
  });
});

describe('a vendor that falls silent (P10)', () => {
  it.each([
    { what: 'before the first byte', scenario: { first_byte_ms: 60_000 }, text: undefined },
    {
      what: 'inside its answer',
      scenario: { steps: [{ type: 'text', text: 'It begins' }, { type: 'stall' }] },
      text: 'It begins',
    },
  ] as const)('ends the turn in words: $what', async ({ scenario, text }) => {
    const simulator = await startSimulator();
    const folder = temporaryFolder('profiles');
    const { profiles } = await loadProfiles({ folder });
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const wire = createWire({ profiles, clock, log: quiet, env: {} });
    const vendor = {
      ...anthropic,
      auth_types: ['none', ...anthropic.auth_types] as const,
      default_base_url: simulator.base('anthropic'),
      timeouts: { connect_ms: 500, first_byte_ms: 500, between_chunks_ms: 500 },
    };
    const memory = { get: () => undefined, set: async () => undefined };
    const provider = createProvider(vendor, {
      wire,
      memory,
      tokens: createTokenCounter(),
      clock,
      log: quiet,
    });
    {
      await using house = await startEngine({
        stores,
        provider: {
          ...provider,
          stream: (request, signal) =>
            provider.stream(
              {
                ...request,
                model: 'claude-sonnet-5',
                credential: key,
              },
              signal,
            ),
        },
      });
      simulator.script([scenario, scenario, scenario, scenario] as never, {});
      const { id } = await house.session();
      await house.send(id, 'hello');
      const turn = await house.ended(id);
      expect(turn).toMatchObject({
        status: 'failed',
        cause: 'timeout',
        reason: expect.stringMatching(/0\.5 s/),
      });
      const items = await house.items(id);
      expect(items.filter((item) => open.includes(item.status))).toEqual([]);
      if (text)
        expect(items).toContainEqual(expect.objectContaining({ data: expect.objectContaining({ text }) }));
      expect(items.at(-1)?.data).toMatchObject({ code: 'turn_failed', remedy: expect.any(String) });
      simulator.reset();
      await house.send(id, 'hello');
      expect(await house.ended(id)).toMatchObject({ status: 'done' });
    }
    wire.close();
    await simulator.close();
    await removeFolder(folder);
  });

  it.each(['retry', 'edit'] as const)(
    'makes no branch when the turn of it cannot be written: %s',
    async (what) => {
      await using house = await startEngine({ stores });
      const { id, conversation_id } = await house.session();
      await house.send(id, 'hello');
      await house.ended(id);
      const before = await house.items(id);
      const [message] = before;
      if (!message) throw new Error('no message');
      // As a full disk answers, for the turn's row only.
      await stores.query(`create function no_room() returns trigger language plpgsql as
      $$ begin raise exception 'no space left' using errcode = '53100'; end $$`);
      await stores.query(
        'create trigger no_room before insert on turns for each row execute function no_room()',
      );
      const again = () =>
        what === 'retry'
          ? house.engine.retry(id, {})
          : house.engine.edit(id, { item_id: message.id, text: 'hello, you' });
      try {
        expect(await again()).toMatchObject({ ok: false, error: { code: 'unavailable' } });
      } finally {
        await stores.query('drop function no_room cascade');
      }
      expect(await stores.sessions.conversation(id)).toBe(conversation_id);
      expect(await stores.sessions.conversations(id)).toHaveLength(1);
      expect(await house.items(id)).toEqual(before);

      expect(await again()).toMatchObject({ ok: true });
      expect(await house.ended(id)).toMatchObject({ status: 'done' });
      expect(await stores.sessions.conversations(id)).toHaveLength(2);
    },
  );

  it('counts a call once whose write had an unknown outcome, also one that failed before it said anything (T4, S9)', async () => {
    const usage = { ...noUsage, request_tokens: 11 };
    const error = { cause: 'overloaded', message: 'Too much to do.' } as const;
    let repeated = 0;
    const commit: typeof stores.sessions.commit = async (lease, change) => {
      const written = await stores.sessions.commit(lease, change);
      repeated += change.spent ? 1 : 0;
      if (!change.spent || repeated > 1) return written;
      return { ok: false, error: { type: 'unavailable', message: 'Nobody knows whether it was made.' } };
    };
    await using house = await startEngine({
      stores: { ...stores, sessions: { ...stores.sessions, commit } },
      stream: async function* () {
        yield { type: 'error', error, usage, response: null, exchange: null };
      },
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({ status: 'failed' });
    expect(repeated).toBe(2);
    expect(await stores.sessions.totals(id)).toMatchObject({ calls: 1, request_tokens: 11 });
    expect((await stores.usage.session(id))?.totals).toMatchObject({ calls: 1, request_tokens: 11 });
  });

  it('tells a person that it waits for the rate limit, in the one line that a retry uses too (P2)', async () => {
    await using house = await startEngine({
      stores,
      stream: async function* (request, signal) {
        yield { type: 'held', wait_ms: 40 };
        yield { type: 'held', wait_ms: 12_400 };
        yield* says('Well.')(request, signal);
      },
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
    const notices = (await house.items(id)).filter((item) => item.kind === 'notice');
    expect(notices.map(({ data }) => data)).toEqual([
      {
        code: 'retry',
        level: 'warning',
        text: 'The rate limit of this key and model is used up. Sent in 12 s, when it is reset.',
        cause: 'rate_limit',
      },
    ]);
  });
});
