import { describe } from 'vitest';

/** The tests of the stores. They run on the managed PostgreSQL by themselves; here on the engine that the file has chosen. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  commit: () => import('../commit.test.ts'),
  reads: () => import('../reads.test.ts'),
  messages: () => import('../messages.test.ts'),
  branches: () => import('../branches.test.ts'),
  usage: () => import('../usage.test.ts'),
  'refresh of logins': () => import('../credential-refresh.test.ts'),
  'logins under way': () => import('../logins.test.ts'),
  'small stores': () => import('../small-stores.test.ts'),
  jobs: () => import('../jobs.test.ts'),
};

/** What needs an address of the database, too. */
const addressed: typeof parts = {
  credentials: () => import('../credentials.test.ts'),
  database: () => import('../database.test.ts'),
};

export const describeContract = (options: { address: boolean }): void => {
  for (const [name, load] of Object.entries(options.address ? { ...parts, ...addressed } : parts))
    describe(name, async () => {
      await load();
    });
};
