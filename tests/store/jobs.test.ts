import { join } from 'node:path';
import { testFolder } from '@maestro/store/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cleanUp, startProcess } from './process.ts';

let home: string;
let folder: string;
beforeEach(() => {
  home = testFolder();
  folder = join(home, 'data');
});
afterEach(() => cleanUp(folder, home));

it('runs a job again whose server was killed in the middle of it (S7)', { timeout: 60_000 }, async () => {
  const first = startProcess(folder, ['job', 'hang']);
  await first.until('job');
  await first.kill('SIGKILL');
  const second = startProcess(folder, ['job', 'finish']);
  expect(await second.until('job')).toMatchObject({ data: { text: 'once' } });
  await second.kill('SIGTERM');
  expect(second.facts.at(-1)?.event).toBe('closed');
});
