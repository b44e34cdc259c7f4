import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Writes `{passed, failed}` to the file named by MAESTRO_TEST_COUNTS. A file that cannot be loaded, an error outside
 * every test and a skipped test count as failed.
 */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const path = process.env['MAESTRO_TEST_COUNTS'];
    if (!path) return;
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        if (test.result().state === 'passed') passed += 1;
        else failed += 1;
      }
    }
    writeFileSync(path, JSON.stringify({ passed, failed }));
  }
}
