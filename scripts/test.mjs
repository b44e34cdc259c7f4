// `npm test`: installs what is missing, then runs every test. The last line is alone: `N passed, N failed`.
// Too little coverage of auth, sessions or tools is a failure too. `npm test -- tests/cli` runs some, without that gate.
import { ensureInstalled } from './install.mjs';
import { runTests } from './vitest.mjs';

await ensureInstalled();
const chosen = process.argv.slice(2);
// Loaded now: it needs what was just installed.
const { checkCoverage, prepareCoverage } = await import('./coverage.mjs');
const coverage = chosen.length === 0 ? prepareCoverage() : undefined;
const { passed, failed: wrong } = await runTests([...chosen, ...(coverage?.args ?? [])], coverage?.env);
const failed = wrong + (coverage && !checkCoverage() ? 1 : 0);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`, () => process.exit(failed === 0 ? 0 : 1));
