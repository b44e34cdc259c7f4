import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderId } from '@maestro/protocol';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { maestro, startMaestro } from '../support/program.ts';
import { startTestServer, type TestServer, vendorsAt } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const task = 'read input.txt and write its upper case to out.txt';
const wires: ProviderId[] = ['anthropic', 'openai', 'openai_chat', 'gemini', 'ollama', 'compatible'];

let simulator: Simulator;
let folder: string;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator?.close());
beforeEach(() => {
  simulator.reset();
  folder = temporaryFolder('task');
  writeFileSync(join(folder, 'input.txt'), 'good morning\n');
});
afterEach(() => removeFolder(folder));

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('maestro run on a running server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ simulator });
  });
  afterAll(() => server?.stop());

  const run = (args: readonly string[], options: { input?: string } = {}) =>
    maestro(['run', ...args], { env: { MAESTRO_DATA: server.data }, cwd: folder, ...options });

  it.each(wires)('does real work in the current folder over %s (P1)', async (provider) => {
    const { code, stdout, stderr } = await run(['--provider', provider, task]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^✓ .*input\.txt[\s\S]*^✓ .*out\.txt/m),
    });
    expect(stdout).toMatch(/out\.txt.*\n$/);
    expect(readFileSync(join(folder, 'out.txt'), 'utf8').trim()).toBe('GOOD MORNING');
  });

  it('streams the words as they come', async () => {
    simulator.script([
      { steps: [{ type: 'text', text: 'first words ' }, { type: 'stall' }], tokens_per_chunk: 1 },
    ]);
    const program = startMaestro(['run', '--provider', 'anthropic', 'speak'], {
      env: { MAESTRO_DATA: server.data },
      cwd: folder,
    });
    await program.untilSays(/first words/);
    program.child.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
  });

  it('prints one finished item a line with --json, and the result last', async () => {
    const { code, stdout } = await run(['--provider', 'anthropic', '--json', task]);
    expect(code).toBe(0);
    const printed = lines(stdout);
    const items = printed.slice(0, -1);
    expect(items.every(({ type, item }) => type === 'item' && item.status === 'done')).toBe(true);
    const kinds = items.map(({ item }) => item.kind);
    expect(kinds[0]).toBe('user_message');
    expect(kinds.filter((kind) => kind === 'tool_call')).toHaveLength(2);
    expect(new Set(items.map(({ item }) => item.id)).size).toBe(items.length);
    expect(printed.at(-1)).toMatchObject({
      type: 'result',
      outcome: 'done',
      steps: 3,
      text: expect.stringContaining('out.txt'),
      totals: { calls: 3 },
    });
  });

  it('takes the task from standard input', async () => {
    const { code } = await run(['--provider', 'openai'], { input: task });
    expect(code).toBe(0);
    expect(existsSync(join(folder, 'out.txt'))).toBe(true);
  });

  it('works in the folder of --cwd and takes --model (W6)', async () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'input.txt'), 'x');
    const { code } = await run(['--provider', 'gemini', '--model', 'gemini-2.5-pro', '--cwd', 'inner', task]);
    expect(code).toBe(0);
    expect(existsSync(join(inner, 'out.txt'))).toBe(true);
    expect(simulator.requests.at(-1)?.model).toBe('gemini-2.5-pro');
  });

  it('chooses a provider that is ready when none is named (P14)', async () => {
    const { code, stdout } = await run(['hello']);
    expect(code).toBe(0);
    expect(stdout.trim()).not.toBe('');
  });

  it('ends with 1 and the reason when the turn fails (P10)', async () => {
    simulator.script([{ failure: { kind: 'auth' } }]);
    const { code, stderr } = await run(['--provider', 'anthropic', 'hello']);
    expect(code).toBe(1);
    expect(stderr.trim()).not.toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('says the failure in the result of --json', async () => {
    simulator.script([{ failure: { kind: 'auth' } }]);
    const { code, stdout } = await run(['--provider', 'anthropic', '--json', 'hello']);
    expect(code).toBe(1);
    expect(lines(stdout).at(-1)).toMatchObject({ type: 'result', outcome: 'failed', cause: 'auth' });
  });

  it('stops the turn on Ctrl-C, keeps what had arrived and ends with 130 (S9)', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'a beginning' }, { type: 'stall' }] }]);
    const program = startMaestro(['run', '--provider', 'anthropic', '--json', 'never ends'], {
      env: { MAESTRO_DATA: server.data },
      cwd: folder,
    });
    await simulator.waitFor((request) => request.user_text.includes('never ends') && request.chunks > 3);
    program.child.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
    const printed = lines(program.stdout());
    expect(printed.at(-1)).toMatchObject({ outcome: 'interrupted', text: 'a beginning' });
    await simulator.waitFor(
      (request) => request.user_text.includes('never ends') && request.ending === 'aborted',
    );
  });

  it('stops the turn after --timeout', async () => {
    simulator.script([{ steps: [{ type: 'stall' }] }]);
    const { code, stderr } = await run(['--provider', 'anthropic', '--timeout', '0.3', 'never ends']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('Stopped after 0.3 s (--timeout).'),
    });
  });

  it('declines what it may not ask anybody, and says so (A4)', async () => {
    const { stderr } = await run(['--provider', 'anthropic', '--access', 'ask', task]);
    expect(stderr).toContain('Declined, because nobody can be asked here:');
    expect(existsSync(join(folder, 'out.txt'))).toBe(false);
  });

  it('changes nothing with --access read_only (A4)', async () => {
    await run(['--provider', 'anthropic', '--access', 'read_only', task]);
    expect(existsSync(join(folder, 'out.txt'))).toBe(false);
  });
});

describe('maestro run without a server', () => {
  it('starts one of its own and leaves nothing running', async () => {
    const data = join(folder, 'data');
    const env = { MAESTRO_DATA: data, ...vendorsAt(simulator) };
    const { code, stdout, stderr } = await maestro(['run', '--provider', 'anthropic', task], {
      env,
      cwd: folder,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('"level"') });
    expect(stdout).not.toContain('Maestro is ready');
    expect(readFileSync(join(folder, 'out.txt'), 'utf8').trim()).toBe('GOOD MORNING');
    expect(existsSync(join(data, 'server.json'))).toBe(false);
    expect(existsSync(join(data, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('says what is missing when no provider is ready (P14)', async () => {
    const env = {
      MAESTRO_DATA: join(folder, 'data'),
      // No agent of this machine either.
      PATH: folder,
      OLLAMA_HOST: '127.0.0.1:9',
      COMPATIBLE_BASE_URL: 'http://127.0.0.1:9',
    };
    const { code, stderr } = await maestro(['run', 'hello'], { env, cwd: folder });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('No provider is ready') });
  });
});
