import { describe } from 'vitest';
import { useEngine } from '../../src/testing.ts';
import { describeContract } from './contract.ts';

useEngine('pglite');
describe('on PGlite (S1)', () => describeContract({ address: false }));
