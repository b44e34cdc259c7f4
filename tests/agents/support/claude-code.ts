import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const version = '2.1.329';
const root = join(import.meta.dirname, '..', '..', '..');
const cache = join(root, 'node_modules', '.cache', 'maestro');
const program = join(
  'node_modules',
  '@anthropic-ai',
  `claude-code-${process.platform}-${process.arch}`,
  'claude',
);

/**
 * The path of the real Claude Code. It is large and not open source, so it is no dependency of ours: it is installed
 * once into a cache folder, and used from there by later runs.
 */
export const claudeCode = async (): Promise<string> => {
  const folder = join(cache, `claude-code-${version}`);
  if (existsSync(join(folder, program))) return join(folder, program);
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'claude-code-new-'));
  try {
    await install(fresh);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return join(folder, program);
};

/** By npm on the pinned Node: on an older one npm silently takes an older Claude Code. */
const install = async (folder: string): Promise<void> => {
  const PATH = [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
  const what = `@anthropic-ai/claude-code@${version}`;
  try {
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...quiet, what], {
      cwd: folder,
      env: { ...process.env, PATH },
      timeout: 300_000,
    });
  } catch (error) {
    throw new Error(
      `${what} could not be installed for this test. It comes from the npm registry; is it reachable? ${String(error)}`,
    );
  }
  if (!existsSync(join(folder, program)))
    throw new Error(`${what} has no program for ${process.platform} ${process.arch}.`);
};

/** A program named `claude` in this folder that behaves as FAKE_CLAUDE of its environment says. */
export const fakeClaude = (folder: string): string => {
  const path = join(folder, 'claude');
  const script = join(import.meta.dirname, 'fake-claude.ts');
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' --no-warnings '${script}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
};
