import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { runProcess } from './run-process.ts';

const filter = '/proc/self/coredump_filter';

/** Only Linux has it. */
const linux = process.platform === 'linux';

it('a program gets its core files, though the server has none', async () => {
  if (linux) {
    const before = readFileSync(filter, 'utf8').trim();
    onTestFinished(() => writeFileSync(filter, `0x${before}`));
    writeFileSync(filter, '0');
  }
  let said = '';
  await runProcess({
    // It reads when it is told to: by then it has what it was given.
    commands: [{ command: 'sh', args: ['-c', `read line; cat ${filter} || echo none`] }],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
    stdin: 'go\n',
    timeout_ms: 20_000,
    signal: new AbortController().signal,
    leftovers: 'end',
    output: (_, text) => {
      said += text;
      return true;
    },
  });
  expect(said.trim()).toMatch(linux ? /^00000033$/ : /none$/);
});
