import { defineConfig } from 'vitest/config';
import rooms from './scripts/coverage-rooms.json' with { type: 'json' };

/** Tests stand beside what they test; whole-product tests are in `tests/`. */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // As long as a busy machine may take; what is waited for comes in milliseconds elsewhere.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    // Only with --coverage; `scripts/coverage.mjs` adds what ran in processes of its own, and is the gate.
    coverage: {
      provider: 'v8',
      include: Object.values(rooms)
        .flat()
        .map((place) => (place.endsWith('/') ? `${place}**/*.ts` : place)),
      exclude: ['**/*.test.ts', '**/index.ts'],
      reporter: ['json'],
      reportsDirectory: '.cache/coverage',
      // The folder is made ready before, with a place for the processes' own.
      clean: false,
      reportOnFailure: true,
    },
    projects: [
      {
        extends: true,
        // Fast, no processes: `npm run check` runs these.
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.{ts,tsx}',
            'tests/house/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        // Real databases, servers, browsers and terminals, on the built bundle.
        test: {
          name: 'product',
          // A bound for what hangs, not a measure: a busy machine takes several times its usual time.
          testTimeout: 90_000,
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: ['tests/house/**'],
          globalSetup: ['tests/support/build.ts'],
        },
      },
    ],
  },
});
