import { rmSync } from 'node:fs';
import { beforeAll, describe } from 'vitest';
import { copyPglite, testFolder, useEngine } from '../../src/testing.ts';
import { describeContract } from './contract.ts';

useEngine('pglite');
// Making the first PGlite of the process takes as long as it takes on a busy machine.
beforeAll(async () => {
  const folder = testFolder();
  await copyPglite(folder);
  rmSync(folder, { recursive: true });
}, 120_000);
describe('on PGlite (S1)', () => describeContract({ address: false }));
