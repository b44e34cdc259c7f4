import { describe } from 'vitest';
import { useEngine } from '../../src/testing.ts';
import { describeContract } from './contract.ts';
import { startSystemPostgres } from './system-postgres.ts';

useEngine(startSystemPostgres(15));
describe('on PostgreSQL 15 by DATABASE_URL (S1)', () => describeContract({ address: true }));
