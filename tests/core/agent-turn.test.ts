import type { AgentAnswer, AgentEvent, AgentQuestion } from '@maestro/ports';
import type { AccessMode, Item, ItemOf } from '@maestro/protocol';
import { noUsage } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { calls, conversation, ended, fakeAgent, message, says } from './support/agent.ts';
import { says as answers, startEngine, type TestEngine } from './support/engine.ts';

const agentSession = async (house: TestEngine, access_mode: AccessMode = 'full') =>
  (await house.session({ provider: 'claude_code', auth_type: 'cli', model: 'default', access_mode })).id;

const of = <K extends Item['kind']>(items: Item[], kind: K): ItemOf<K>[] =>
  items.filter((item): item is ItemOf<K> => item.kind === kind);

const until = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

const stoppedBy: AgentEvent = {
  type: 'error',
  error: { cause: 'aborted', message: 'It was stopped.' },
  spent: [],
};

describe('a turn of an external agent (P11)', () => {
  it('shows thoughts, texts, calls with their output and result, and writes what it cost once', async () => {
    const agent = fakeAgent(async function* () {
      yield { type: 'start', model: 'big' };
      yield { type: 'block_start', block: 0, kind: 'thought' };
      yield { type: 'delta', block: 0, text: 'Hm.' };
      yield { type: 'block_end', block: 0 };
      yield* says(1, 'I look.');
      yield* calls(2, 'c1', 'Read', { file: 'a.txt' });
      yield message();
      yield { type: 'tool_start', call_id: 'c1', title: 'Read a.txt' };
      yield { type: 'tool_output', call_id: 'c1', text: 'line\n' };
      yield {
        type: 'tool_end',
        call_id: 'c1',
        status: 'done',
        content: [{ type: 'text', text: 'line' }],
        details: { lines: 1 },
      };
      yield { type: 'notice', code: 'agent_retry', level: 'warning', text: 'It tries again.' };
      yield* says(3, 'It says: line.');
      yield message();
      const usage = { ...noUsage, request_tokens: 200, response_tokens: 20 };
      const bill = { model: 'big', usage, usd: '0.0125', basis: 'subscription' } as const;
      yield { ...ended, spent: [bill] } as AgentEvent;
    });
    await using house = await startEngine({ agents: [agent] });
    const id = await agentSession(house);
    await house.send(id, 'What does a.txt say?');
    expect(await house.ended(id)).toMatchObject({ status: 'done', steps: 2 });

    const items = await house.items(id);
    expect(items.map((item) => item.kind)).toEqual([
      'user_message',
      'thought',
      'agent_message',
      'tool_call',
      'notice',
      'agent_message',
    ]);
    expect(of(items, 'tool_call')[0]).toMatchObject({
      status: 'done',
      title: 'Read a.txt',
      data: { input: { file: 'a.txt' }, stdout: 'line\n', output: 'line', details: { lines: 1 } },
    });
    const session = await house.stores.sessions.get(id);
    expect(session).toMatchObject({ context_tokens: 100, status: 'idle' });
    expect(session?.totals).toMatchObject({ calls: 1, request_tokens: 200, cost_usd: '0.0125' });
    expect((await house.stores.sessions.card(id))?.preview).toBe('It says: line.');
    const history = await house.stores.sessions.history(id);
    expect(history.map((row) => row.role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
  });

  it('is given its own conversation back, also after another model spoke between', async () => {
    const agent = fakeAgent(async function* () {
      yield* says(0, 'From the agent.');
      yield* calls(1, 'c1', 'Bash');
      yield message();
      yield { type: 'tool_end', call_id: 'c1', status: 'done', content: [{ type: 'text', text: 'out' }] };
      yield* says(2, 'Done.');
      yield message(conversation('two'));
      yield ended;
    });
    const asked: string[] = [];
    await using house = await startEngine({
      agents: [agent],
      stream: (request) => {
        asked.push(JSON.stringify(request.history));
        return answers('From the model.')(request, new AbortController().signal);
      },
    });
    const id = await agentSession(house);
    await house.send(id, 'One');
    await house.ended(id);
    await house.engine.patch(id, { provider: 'ollama', auth_type: 'none' });
    await house.send(id, 'Two');
    await house.ended(id);
    expect(asked[0]).toContain('tool_call');
    expect(asked[0]).toContain('"out"');
    expect(asked[0]).not.toContain('conversation');

    const back = await house.engine.patch(id, { provider: 'claude_code' });
    expect(back).toMatchObject({ value: { auth_type: 'cli', model: 'default', base_url: null } });
    await house.send(id, 'Three');
    await house.ended(id);
    const history = agent.requests[1]?.history ?? [];
    expect(history.findLast((each) => each.role === 'assistant' && each.native)).toMatchObject({
      native: { parts: { conversation: 'two' } },
    });
    expect(JSON.stringify(history.slice(-3))).toMatch(/Two.*From the model.*Three/);
  });

  it.each<[AccessMode, AgentQuestion['risk'], string, string]>([
    ['full', 'execute', '/etc', 'accept'],
    ['workspace', 'write', 'inside.txt', 'accept'],
    ['workspace', 'read', '/etc/passwd', 'decline'],
    ['ask', 'read', '/etc/passwd', 'accept'],
    ['read_only', 'write', 'inside.txt', 'decline'],
  ])('in mode %s a %s of %s is answered without a person: %s (S7)', async (mode, risk, path, decision) => {
    let answer: AgentAnswer | undefined;
    const agent = fakeAgent(async function* (_request, hands) {
      yield* calls(0, 'c1', 'Tool');
      yield message();
      answer = await hands.approve({
        call_id: 'c1',
        tool: 'Tool',
        input: {},
        title: 'It',
        risk,
        paths: [path],
      });
      yield { type: 'tool_end', call_id: 'c1', status: 'done', content: [] };
      yield ended;
    });
    await using house = await startEngine({ agents: [agent] });
    const id = await agentSession(house, mode);
    await house.send(id, 'Go');
    await house.ended(id);
    expect(answer?.decision).toBe(decision);
    expect(answer?.reason === null).toBe(decision === 'accept');
    expect(of(await house.items(id), 'approval')).toEqual([]);
  });

  it('asks the person where the access mode says so, at the call or at a line of its own (S7)', async () => {
    const given: (AgentAnswer | undefined)[] = [];
    const ask = { tool: 'Bash', input: {}, title: 'Run ls', risk: 'execute', paths: [] } as const;
    const agent = fakeAgent(async function* (_request, hands) {
      yield* calls(0, 'c1', 'Bash');
      given.push(await hands.approve({ ...ask, call_id: 'c1' }));
      given.push(await hands.approve({ ...ask, call_id: 'inner' }));
      yield {
        type: 'tool_end',
        call_id: 'c1',
        status: 'cancelled',
        content: [{ type: 'text', text: 'No.' }],
      };
      yield ended;
    });
    const pending: ((item: Item) => void)[] = [];
    const seen = new Set<string>();
    await using house = await startEngine({
      agents: [agent],
      published: (events) => {
        for (const event of events)
          if (
            event.kind === 'item' &&
            event.data.kind === 'approval' &&
            event.data.status === 'pending' &&
            !seen.has(event.data.id)
          ) {
            seen.add(event.data.id);
            for (const tell of pending) tell(event.data);
          }
      },
    });
    const id = await agentSession(house, 'ask');
    const decisions = ['decline', 'accept'] as const;
    pending.push((item) => {
      const decision = decisions[seen.size - 1] ?? 'accept';
      setImmediate(() => void house.engine.answer(id, item.id, decision));
    });
    await house.send(id, 'Go');
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
    expect(given.map((each) => each?.decision)).toEqual(['decline', 'accept']);
    const items = await house.items(id);
    const [first, second] = of(items, 'tool_call');
    expect([first?.data.call_id, first?.status, second?.data.call_id, second?.status]).toEqual([
      'c1',
      'cancelled',
      'inner',
      'done',
    ]);
    expect(of(items, 'approval').map((each) => each.data.tool_item_id)).toEqual([first?.id, second?.id]);
  });

  it('that is gone while the person is asked takes its question back (P10, S7)', async () => {
    const agent = fakeAgent(async function* (_request, hands) {
      yield* calls(0, 'c1', 'Bash');
      yield message();
      const question = { call_id: 'c1', tool: 'Bash', input: {}, title: 'Run ls', paths: [] };
      hands.approve({ ...question, risk: 'execute' }).catch(() => undefined);
      await shown.promise;
      yield { type: 'error', error: { cause: 'crash', message: 'It ended.' }, spent: [] };
    });
    const shown = Promise.withResolvers<void>();
    await using house = await startEngine({
      agents: [agent],
      published: (events) => {
        if (events.some((event) => event.kind === 'item' && event.data.kind === 'approval')) shown.resolve();
      },
    });
    const id = await agentSession(house, 'ask');
    await house.send(id, 'Go');
    expect(await house.ended(id)).toMatchObject({ status: 'failed', cause: 'crash' });
    const [approval] = of(await house.items(id), 'approval');
    expect(approval?.status).toBe('cancelled');
    if (!approval) return;
    expect(await house.engine.answer(id, approval.id, 'accept')).toMatchObject({
      ok: false,
      error: { code: 'conflict' },
    });
    expect((await house.stores.sessions.get(id))?.status).toBe('failed');
  });

  it('is stopped: what was heard stays, the call that ran is ended, the conversation is kept (S9)', async () => {
    let running: (() => void) | undefined;
    const runs = new Promise<void>((resolve) => {
      running = resolve;
    });
    const agent = fakeAgent(async function* (_request, _hands, signal) {
      yield* calls(0, 'c1', 'Bash');
      yield message();
      yield { type: 'tool_start', call_id: 'c1' };
      yield { type: 'block_start', block: 1, kind: 'text' };
      yield { type: 'delta', block: 1, text: 'Half a' };
      running?.();
      await until(signal);
      yield stoppedBy;
    });
    await using house = await startEngine({ agents: [agent] });
    const id = await agentSession(house);
    await house.send(id, 'Go');
    await runs;
    await house.engine.interrupt(id);
    expect(await house.ended(id)).toMatchObject({ status: 'interrupted', cause: 'aborted' });
    const items = await house.items(id);
    expect(of(items, 'tool_call')[0]?.status).toBe('cancelled');
    expect(of(items, 'agent_message')[0]).toMatchObject({ status: 'cancelled', data: { text: 'Half a' } });
    const last = (await house.stores.sessions.history(id)).findLast((row) => row.role === 'assistant');
    expect(last?.native?.parts).toEqual({ conversation: 'one' });
  });

  it('is stopped in words when its answer has no end; what came is kept and its cost counted (P10)', async () => {
    let told = false;
    const agent = fakeAgent(async function* (_request, _hands, signal) {
      const most = { type: 'delta', block: 0, text: 'x'.repeat(1000) } as const;
      // What is complete counts no more: nine tenths of the limit each.
      for (const block of [0, 1]) {
        yield { type: 'block_start', block, kind: 'thought' };
        for (let count = 0; count < 90; count += 1) yield { ...most, block };
        yield { type: 'block_end', block };
        yield message();
      }
      yield { type: 'block_start', block: 2, kind: 'text' };
      while (!signal.aborted) yield { ...most, block: 2 };
      told = true;
      yield { ...most, block: 2 };
      const usage = { ...noUsage, response_tokens: 25_000 };
      const bill = { model: 'big', usage, usd: '0.5', basis: 'billed' } as const;
      yield { ...stoppedBy, spent: [bill] } as AgentEvent;
    });
    await using house = await startEngine({ agents: [agent], answer_chars: 100_000 });
    const id = await agentSession(house);
    await house.send(id, 'Go');
    expect(await house.ended(id)).toMatchObject({
      status: 'failed',
      cause: 'max_output',
      reason: expect.stringMatching(/^The answer was stopped: it was longer than 100,000 characters/),
    });
    expect(told).toBe(true);
    const items = await house.items(id);
    expect(of(items, 'thought').map(({ status, data }) => [status, data.text.length])).toEqual([
      ['done', 90_000],
      ['done', 90_000],
    ]);
    const [said] = of(items, 'agent_message');
    expect(said).toMatchObject({ status: 'failed', data: { text: 'x'.repeat(100_000) } });
    expect((await house.stores.sessions.get(id))?.totals).toMatchObject({ cost_usd: '0.5' });
  });

  it('that throws, fails, or does not end when it is stopped, ends the turn in words (P10)', async () => {
    const agent = fakeAgent(async function* (request, _hands, signal) {
      const words = JSON.stringify(request.history.at(-1)?.parts.at(-1));
      if (words.includes('throw')) throw new Error('bang');
      if (words.includes('fail')) {
        yield* says(0, 'Part');
        yield { type: 'error', error: { cause: 'auth', message: 'Not logged in.' }, spent: [] };
        return;
      }
      yield { type: 'start', model: null };
      signal.addEventListener('abort', () => undefined);
      await new Promise(() => undefined);
    });
    await using house = await startEngine({ agents: [agent] });
    const id = await agentSession(house);
    await house.send(id, 'throw');
    expect(await house.ended(id)).toMatchObject({ status: 'failed', cause: 'internal' });
    await house.send(id, 'fail');
    expect(await house.ended(id)).toMatchObject({ status: 'failed', cause: 'auth' });
    await house.send(id, 'hang');
    await house.engine.interrupt(id);
    expect(await house.ended(id)).toMatchObject({ status: 'interrupted' });
  });

  it('is resumed after a crash of the server with nothing new, and what ran is unknown (S9)', async () => {
    let running: (() => void) | undefined;
    const runs = new Promise<void>((resolve) => {
      running = resolve;
    });
    const first = fakeAgent(async function* () {
      yield* calls(0, 'c1', 'Bash');
      yield message();
      yield { type: 'tool_start', call_id: 'c1' };
      running?.();
      await new Promise(() => undefined);
    });
    const second = fakeAgent(async function* () {
      yield* says(0, 'Went on.');
      yield message();
      yield ended;
    });
    await using dead = await startEngine({ agents: [first] });
    const id = await agentSession(dead);
    await dead.send(id, 'Go');
    await runs;
    await dead.stores.query(
      `update sessions set lease_owner = 'dead', lease_epoch = lease_epoch + 1, lease_until = now() - interval '1 second'`,
    );
    await using house = await startEngine({ agents: [second], stores: dead.stores });
    await house.engine.recover();
    expect(of(await house.items(id), 'tool_call')[0]?.status).toBe('unknown');
    await house.engine.resume(id);
    expect(await house.ended(id)).toMatchObject({ status: 'done' });
    const history = second.requests[0]?.history ?? [];
    expect(history.at(-1)?.role).toBe('tool');
    expect(history.findLast((each) => each.role === 'assistant')).toMatchObject({
      native: { parts: { conversation: 'one' } },
    });
  });

  it('is let go when its session is deleted, and refuses what it cannot be given', async () => {
    const agent = fakeAgent(async function* () {
      yield* says(0, 'Hello.');
      yield message();
      yield ended;
    });
    await using house = await startEngine({ agents: [agent] });
    const id = await agentSession(house);
    await house.send(id, 'Go');
    await house.ended(id);
    const patched = await house.engine.patch(id, { base_url: 'http://127.0.0.1:1' });
    expect(patched).toMatchObject({ ok: false, error: { field: 'body.base_url' } });
    const made = await house.engine.create({
      provider: 'claude_code',
      auth_type: 'api_key',
      working_directory: '/',
    });
    expect(made).toMatchObject({ ok: false, error: { field: 'body.auth_type' } });
    await house.engine.delete(id);
    expect(agent.released).toEqual([id]);
  });
});
