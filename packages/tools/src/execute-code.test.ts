import { execFileSync } from 'node:child_process';
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, testFolder } from '../test/harness.ts';
import { executeCodeTool } from './execute-code.ts';

afterEach(() => vi.unstubAllEnvs());

const alive = (pid: number): boolean => {
  const state = execFileSync('bash', ['-c', `ps -o state= -p ${pid} || true`])
    .toString()
    .trim();
  return state !== '' && !state.startsWith('Z');
};

const run = async (
  language: string,
  code: string,
  opts: object = {},
  more: Parameters<typeof call>[3] = {},
) => call(executeCodeTool, { language, code, opts }, await testFolder(), more);

describe('execute_code (A5)', () => {
  it('captures stdout and stderr apart, with the exit code', async () => {
    const { text, stdout, stderr, result } = await run('bash', 'echo out; echo err >&2; exit 3');
    expect({ stdout, stderr }).toEqual({ stdout: 'out\n', stderr: 'err\n' });
    expect(text).toMatch(/^\[exit code 3, [\d.]+ s\]\nstdout:\nout\nstderr:\nerr$/);
    expect(result).toMatchObject({
      is_error: true,
      title: 'bash · exit code 3',
      details: { exit_code: 3, signal: null },
    });
  });

  it('gives arguments and standard input, in the working directory', async () => {
    const folder = await testFolder();
    const { stdout } = await call(
      executeCodeTool,
      { language: 'bash', code: 'echo "$1 $2"; cat; pwd', opts: { args: ['a b', 'c'], stdin: 'in\n' } },
      folder,
    );
    expect(stdout).toBe(`a b c\nin\n${folder}\n`);
  });

  it('runs JavaScript as an ES module or as CommonJS', async () => {
    expect(
      (await run('javascript', 'import fs from "node:fs"; console.log(typeof fs.open, await 1)')).stdout,
    ).toBe('function 1\n');
    expect(
      (await run('javascript', 'const fs = require("node:fs"); console.log(typeof fs.open)')).stdout,
    ).toBe('function\n');
  });

  it('runs TypeScript that imports files of the working directory', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'lib.ts'), 'export const twice = (n: number): number => n * 2;');
    const code = 'import { twice } from "./lib.ts"; const n: number = 21; console.log(twice(n));';
    const { text, stdout, stderr } = await call(executeCodeTool, { language: 'typescript', code }, folder);
    expect({ stdout, stderr }, text).toEqual({ stdout: '42\n', stderr: '' });
  });

  it('runs Python, or says what is missing', async () => {
    const { text, stdout } = await run('python', 'import sys\nprint(6 * 7, sys.argv[1:])', { args: ['x'] });
    if (hasCommand('python3') || hasCommand('python')) expect(stdout).toBe("42 ['x']\n");
    else expect(text).toContain('the command python3 or python is missing');
  });

  it('runs Elixir with the command elixir and the code as a script', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'elixir'), '#!/bin/sh\necho "$1" | sed "s|.*/||"; cat "$1"; echo " $2"\n');
    await chmod(join(folder, 'elixir'), 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    expect((await run('elixir', 'IO.puts(42)', { args: ['x'] })).stdout).toBe('code.exs\nIO.puts(42) x\n');
  });

  it('says which command is missing and how to get it', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    const { text, result } = await run('elixir', 'IO.puts 1');
    expect(text).toContain(
      'elixir cannot run: the command elixir is missing on this machine. See https://elixir-lang.org',
    );
    expect(result.is_error).toBe(true);
  });

  it('ends the code and all its children at the time limit, also those that left its process group', async () => {
    const began = performance.now();
    const code =
      'trap "" TERM; sleep 300 & echo $!; setsid sleep 300 & echo $!; setsid bash -c "trap : TERM; sleep 300 & echo \\$!; wait; wait" & wait; wait; sleep 300';
    const { text, stdout } = await run('bash', code, { timeout_s: 0.5 });
    expect(text).toContain('time limit of 0.5 s reached; ended with all its children');
    const pids = stdout.trim().split('\n').map(Number);
    expect(pids.length).toBeGreaterThanOrEqual(3);
    expect(pids.filter(alive)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('ends the code and its children when the person stops it', async () => {
    const stop = new AbortController();
    const { text, stdout } = await run(
      'bash',
      'sleep 300 & echo $!; wait',
      {},
      { signal: stop.signal, onReport: () => stop.abort() },
    );
    expect(text).toContain('stopped by the person');
    expect(alive(Number(stdout))).toBe(false);
  });

  it('ends the code at 1 MB of output', async () => {
    const { text, stdout, result } = await run('javascript', 'for (;;) console.log("x".repeat(1000))');
    expect(text).toContain('more than 1 MB of output');
    expect(stdout).toHaveLength(1_000_000);
    expect(result).toMatchObject({ is_error: true, details: { why: 'output_limit' } });
  });

  it('loses no output of JavaScript that exits early', async () => {
    const { stdout } = await run('javascript', 'console.log("x".repeat(900_000)); process.exit(0)');
    expect(stdout).toHaveLength(900_001);
  });

  it('ends what the code leaves behind', async () => {
    const { text, stdout } = await run('bash', 'sleep 300 & echo $!');
    expect(text).toContain('exit code 0');
    expect(text).toContain('1 process it left behind ended');
    expect(alive(Number(stdout))).toBe(false);
  });

  it('leaves no file behind', async () => {
    const { stdout } = await run(
      'bash',
      'echo "$0"; stat -c %a "$(dirname "$0")" 2>/dev/null || stat -f %Lp "$(dirname "$0")"',
    );
    const [file = '', mode] = stdout.trim().split('\n');
    expect(mode).toBe('700');
    expect(await readdir(tmpdir())).not.toContain(dirname(file).split('/').at(-1));
  });

  it('tells the signal that ended it', async () => {
    expect((await run('bash', 'kill -SEGV $$')).text).toContain('ended by signal SIGSEGV');
  });

  it('does not wait for input', async () => {
    expect((await run('bash', 'cat; echo end')).stdout).toBe('end\n');
  });

  it('survives code that does not read its input', async () => {
    expect((await run('bash', 'echo end', { stdin: 'x'.repeat(1_000_000) })).stdout).toBe('end\n');
  });

  it('keeps characters whole across chunks and shows NUL', async () => {
    const { stdout, text } = await run(
      'javascript',
      'process.stdout.write("€".repeat(100000)); process.stdout.write("\\0")',
    );
    expect(stdout.slice(0, -1)).toBe('€'.repeat(100_000));
    expect(text).toContain('€␀');
  });

  it('gives the code none of the server’s secrets', async () => {
    for (const name of ['ANTHROPIC_API_KEY', 'ENCRYPTION_KEY', 'DATABASE_URL', 'REDIS_URL', 'MAESTRO_TOKEN'])
      vi.stubEnv(name, 's3cret');
    vi.stubEnv('MY_OWN', 'visible');
    const { stdout } = await run('bash', 'env');
    expect(stdout).not.toContain('s3cret');
    expect(stdout).toContain('MY_OWN=visible');
  });

  it('says when the working directory is gone', async () => {
    const folder = await testFolder();
    await rm(folder, { recursive: true });
    const { text } = await call(executeCodeTool, { language: 'bash', code: 'pwd' }, folder);
    expect(text).toContain(`working directory ${folder} does not exist any more`);
  });

  it('refuses a language it does not know, and a wrong time limit', () => {
    expect(executeCodeTool.input.safeParse({ code: 'x', language: 'cobol' }).success).toBe(false);
    expect(
      executeCodeTool.input.safeParse({ code: 'x', language: 'bash', opts: { timeout_s: -1 } }).success,
    ).toBe(false);
  });
});

const hasCommand = (name: string): boolean =>
  execFileSync('bash', ['-c', `command -v ${name} || true`]).toString() !== '';
