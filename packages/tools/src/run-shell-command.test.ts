import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { call, testFolder, until } from '../test/harness.ts';
import { childEnvironment } from './child-environment.ts';
import { keepOutput } from './kept-output.ts';
import { runShellCommandTool } from './run-shell-command.ts';

const run = async (command: string, more: object = {}, options: Parameters<typeof call>[3] = {}) =>
  call(runShellCommandTool, { command, ...more }, await testFolder(), options);

describe('run_shell_command (A6)', () => {
  it('gives output and exit code', async () => {
    const { text, result } = await run('echo out; echo err >&2; exit 2');
    expect(text).toMatch(/^(out\nerr|err\nout)\n\[exit code 2, [\d.]+ s\]$/);
    expect(result).toMatchObject({ is_error: true, details: { exit_code: 2, why: 'exit' } });
  });

  it('shows output live, while the command runs', async () => {
    const folder = await testFolder();
    let seen = '';
    const release = Promise.withResolvers<void>();
    const running = call(
      runShellCommandTool,
      { command: 'echo first; until [ -d go ]; do sleep 0.05; done; echo second' },
      folder,
      {
        onReport: (text) => {
          seen += text;
          if (seen === 'first\n') release.resolve();
        },
      },
    );
    await release.promise;
    await mkdir(join(folder, 'go'));
    expect((await running).stdout).toBe('first\nsecond\n');
  });

  it('runs in the folder asked for, and names a missing one', async () => {
    const folder = await testFolder();
    await mkdir(join(folder, 'sub'));
    expect((await call(runShellCommandTool, { command: 'pwd', directory: 'sub' }, folder)).stdout).toBe(
      `${join(folder, 'sub')}\n`,
    );
    expect((await call(runShellCommandTool, { command: 'pwd', directory: 'sup' }, folder)).text).toBe(
      'sup does not exist. Did you mean sub?',
    );
    expect(
      runShellCommandTool.touches(runShellCommandTool.input.parse({ command: 'x', directory: '/etc' })),
    ).toEqual([{ path: '/etc', mode: 'read' }]);
  });

  it('keeps the start and the end of more than 1 MB of output', async () => {
    const { text, stdout, result } = await run('echo START; yes | head -c 3000000; echo END');
    expect(text.startsWith('START\n')).toBe(true);
    expect(text).toContain('characters left out …]');
    expect(text).toMatch(/END\n\[exit code 0, [\d.]+ s\]$/);
    expect(text.length).toBeLessThan(1_000_200);
    expect(stdout.endsWith('END\n')).toBe(true);
    expect(stdout.length).toBeLessThan(1_000_100);
    expect(result.details).toMatchObject({ output_cut: true });
  });

  it('ends the command and its children at the time limit, and keeps what they said', async () => {
    const { text, result } = await run('echo before; sleep 300 & sleep 300', { timeout_s: 0.3 });
    expect(text).toMatch(/^before\n\[time limit of 0.3 s reached; ended with all its children/);
    expect(result.is_error).toBe(true);
  });

  it('ends at once when the person stops it', async () => {
    const stop = new AbortController();
    const began = performance.now();
    const { text } = await run(
      'echo here; sleep 300',
      {},
      { signal: stop.signal, onReport: () => stop.abort() },
    );
    expect(text).toContain('here\n[stopped by the person');
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('does not start when it was stopped before', async () => {
    const folder = await testFolder();
    const { text } = await call(runShellCommandTool, { command: 'mkdir made' }, folder, {
      signal: AbortSignal.abort(),
    });
    expect(text).toContain('stopped by the person');
    expect((await call(runShellCommandTool, { command: 'ls' }, folder)).stdout).toBe('');
  });

  it('does not hang on a child that holds the output open, and leaves it running', async () => {
    const began = performance.now();
    const folder = await testFolder();
    const command = 'bash -c "until [ -d go ]; do sleep 0.05; done; echo late; mkdir done" & echo started';
    const { text, result, stdout } = await call(runShellCommandTool, { command }, folder);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(stdout).toBe('started\n');
    expect(text).toContain('left running in the background');
    const left = leftRunning(result.details);
    onTestFinished(() => left.forEach(end));
    expect(left.length).toBeGreaterThan(0);
    await mkdir(join(folder, 'go'));
    await until('the child has written and gone on', async () =>
      (await call(runShellCommandTool, { command: 'ls' }, folder)).stdout.includes('done'),
    );
  });

  it('does not hang on a child that keeps writing', async () => {
    const { text, result } = await run('(while true; do echo spam; sleep 0.01; done) & echo started');
    const left = leftRunning(result.details);
    onTestFinished(() => left.forEach(end));
    expect(text).toContain('left running in the background');
  });

  it('gives no input to wait for', async () => {
    expect((await run('read answer; echo "got:$answer"')).stdout).toBe('got:\n');
  });

  it('tells the signal that ended it', async () => {
    expect((await run('kill -9 $$')).text).toContain('ended by signal SIGKILL');
  });

  it('works where the PATH has no bash', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await run('echo here')).stdout).toBe('here\n');
  });

  it('says in one line what it will do', () => {
    expect(runShellCommandTool.summary(runShellCommandTool.input.parse({ command: 'npm test' }))).toBe(
      'Run: npm test',
    );
  });
});

const leftRunning = (details: unknown): number[] =>
  z.object({ left_running: z.array(z.int()) }).parse(details).left_running;

const end = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

it('takes the server’s own secrets out of the environment, whatever their case', () => {
  const given = {
    PATH: '/bin',
    OPENAI_API_KEY: 'k',
    openai_api_key: 'k',
    MAESTRO_PORT: '1',
    GITHUB_TOKEN: 't',
    MAESTRO_RUN_ab: '1',
  };
  expect(childEnvironment(given)).toEqual({ PATH: '/bin', GITHUB_TOKEN: 't', MAESTRO_RUN_ab: '1' });
});

it('keeps a short output whole and shows all of it live', () => {
  const kept = keepOutput(10);
  const live = ['abc', 'def', 'ghij'].map(kept.push).join('') + kept.rest();
  expect([live, kept.text(), kept.cut]).toEqual(['abcdefghij', 'abcdefghij', false]);
});

it('shows live exactly what it keeps of a long output', () => {
  const kept = keepOutput(10);
  const live =
    Array.from({ length: 26 }, (_, index) => kept.push(String.fromCharCode(97 + index))).join('') +
    kept.rest();
  expect(live).toBe('abcde\n[… 16 characters left out …]\nvwxyz');
  expect([kept.text(), kept.cut]).toEqual([live, true]);
});
