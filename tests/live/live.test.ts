import { join } from 'node:path';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

let simulator: Simulator;
let data: string;
beforeAll(async () => {
  simulator = await startSimulator();
  data = temporaryFolder('live');
});
afterEach(() => simulator.reset());
afterAll(async () => {
  await simulator.close();
  await removeFolder(data);
});

const keys = () => ({
  ANTHROPIC_API_KEY: 'sk-ant-live-key',
  ANTHROPIC_BASE_URL: simulator.base('anthropic'),
  OPENAI_API_KEY: 'sk-live-key',
  OPENAI_BASE_URL: simulator.base('openai'),
  GEMINI_API_KEY: 'gemini-live-key',
  GEMINI_BASE_URL: simulator.base('gemini'),
  OLLAMA_HOST: simulator.base('ollama'),
});
const live = async (args: readonly string[], env: NodeJS.ProcessEnv = keys()) => {
  const program = startProgram(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    env: { MAESTRO_DATA: data, ...env },
  });
  const { code } = await program.ended;
  const lines = new Map(
    program
      .stdout()
      .split('\n')
      .map((line) => [line.split(/\s+/)[0] ?? '', line]),
  );
  return { code, lines, stdout: program.stdout(), stderr: program.stderr() };
};
const answered = () => simulator.requests.filter(({ kind }) => kind === 'answer');

describe('npm run test:live (Q4)', () => {
  it('checks every vendor with a key: list, answer, tool call, usage and price; and names those without', async () => {
    const { code, lines, stdout, stderr } = await live(['--cap', '1']);
    expect(stderr).toBe('');
    for (const name of ['anthropic', 'openai', 'openai_chat', 'gemini', 'ollama'])
      expect(lines.get(name)).toMatch(
        /^\w+ +fine +\d+ models · \S+ · answer in [\d.]+ s · tool call · \d+ \+ \d+ tokens · \$0\.\d{6}$/,
      );
    expect(lines.get('compatible')).toMatch(/skipped +COMPATIBLE_BASE_URL is not set$/);
    expect(lines.get('groq')).toMatch(/skipped +GROQ_API_KEY is not set$/);
    expect(stdout).toMatch(/\nSpent \$0\.\d{6} of at most \$1\. 5 fine, 0 failed, \d+ skipped\.\n$/);
    expect(stdout).not.toContain('live-key');
    expect(answered()).toHaveLength(10);
    expect(code).toBe(0);
  });

  it('sends nothing for which there is not enough money left', async () => {
    const { code, lines } = await live(['--cap', '0', '--only', 'anthropic,ollama']);
    expect(lines.get('anthropic')).toMatch(
      /FAILED .* not sent: it may cost \$0\.\d{4}, and of \$0 only \$0\.0000 is left \(--cap\)$/,
    );
    // What runs on this machine costs nothing.
    expect(lines.get('ollama')).toMatch(/ fine /);
    expect(answered().map(({ wire }) => wire)).toEqual(['ollama', 'ollama']);
    expect(code).toBe(1);
  });

  it('counts what was spent before: the cap holds over all vendors together', async () => {
    const once = await live(['--cap', '1', '--only', 'anthropic', '--model', 'anthropic=claude-opus-4-6']);
    const [, spent] = /Spent \$([\d.]+)/.exec(once.stdout) ?? [];
    expect(Number(spent)).toBeGreaterThan(0);
    simulator.reset();
    const tight = await live([
      '--cap',
      '0.03',
      '--only',
      'anthropic',
      '--model',
      'anthropic=claude-opus-4-6',
    ]);
    const [, total] = /Spent \$([\d.]+)/.exec(tight.stdout) ?? [];
    expect(Number(total)).toBeLessThanOrEqual(0.03);
  });

  it('fails in words when a vendor does, and goes on with the next', async () => {
    simulator.script([{ failure: { kind: 'auth' } }], { wire: 'anthropic' });
    const { code, lines } = await live(['--cap', '1', '--only', 'anthropic,gemini']);
    expect(lines.get('anthropic')).toMatch(/FAILED .*, the answer: auth: /);
    expect(lines.get('gemini')).toMatch(/ fine /);
    expect(code).toBe(1);
  });

  it.each([
    [
      'does not say it',
      [{ steps: [{ type: 'text' as const, text: 'No.' }] }],
      'it was to say pong and said \\"No\\.\\"',
    ],
    [
      'does not call',
      [
        { steps: [{ type: 'text' as const, text: 'pong' }] },
        { steps: [{ type: 'text' as const, text: 'It is empty.' }] },
      ],
      'the tool call: it stopped with end',
    ],
  ])('notices a model that %s', async (_, scenarios, words) => {
    simulator.script(scenarios);
    const { code, lines } = await live(['--cap', '1', '--only', 'gemini']);
    expect(lines.get('gemini')).toMatch(new RegExp(`FAILED .*${words}`));
    expect(code).toBe(1);
  });

  it('says that nothing was checked, and what to do', async () => {
    const { code, stdout } = await live(['--only', 'anthropic'], {});
    expect(stdout).toMatch(/anthropic +skipped +ANTHROPIC_API_KEY is not set\n/);
    expect(stdout).toContain('Nothing was checked');
    expect(code).toBe(2);
  });

  it.each([
    [['--cap', 'much'], '--cap must be a sum in USD'],
    [['--only', 'nobody'], 'There is no vendor or preset "nobody"'],
    [['--model', 'x'], '--model must be like'],
    [['--wrong'], "Unknown option '--wrong'"],
  ])('refuses %j', async (args, words) => {
    const { code, stdout } = await live(args);
    expect(stdout).toContain(words);
    expect(code).toBe(2);
    expect(simulator.requests).toEqual([]);
  });
});
