// `npm test`: installs what is missing, then runs every test. The last line is alone: `N passed, N failed`.
// `npm test -- tests/cli` runs some of them.
import { ensureInstalled } from './install.mjs';
import { runTests } from './vitest.mjs';

await ensureInstalled();
const { passed, failed } = await runTests(process.argv.slice(2));
process.stdout.write(`\n${passed} passed, ${failed} failed\n`, () => process.exit(failed === 0 ? 0 : 1));
