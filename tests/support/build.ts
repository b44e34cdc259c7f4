import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Builds the server bundle and the page once per test run, when their sources changed. */
export const setup = (): void => {
  const root = join(import.meta.dirname, '..', '..');
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: 'inherit' });
};
