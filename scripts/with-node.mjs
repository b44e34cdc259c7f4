// `node scripts/with-node.mjs <program> [arguments]`: runs one of the project's programs on the pinned Node.
import { ensureInstalled } from './install.mjs';
import { pinnedEnvironment } from './node.mjs';
import { become } from './run.mjs';

await ensureInstalled();
const [program, ...args] = process.argv.slice(2);
become(program, args, { env: pinnedEnvironment(), shell: process.platform === 'win32' });
