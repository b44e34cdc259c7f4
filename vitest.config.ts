import { defineConfig } from 'vitest/config';

/** Tests stand beside what they test; whole-product tests are in `tests/`. */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
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
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: ['tests/house/**'],
          globalSetup: ['tests/support/build.ts'],
        },
      },
    ],
  },
});
