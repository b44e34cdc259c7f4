// `npm run test:chaos`: kills servers and databases under streaming sessions, or (`-- --soak 30`) watches them for
// half an hour, on the pinned Node. `npm run test:chaos -- --help` names the options.
import { join } from 'node:path';
import { ensureServer } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { pinnedEnvironment, pinnedNode, root } from './node.mjs';
import { become } from './run.mjs';

await ensureInstalled();
await ensureServer();
become(pinnedNode(), [join(root, 'tests', 'chaos', 'main.ts'), ...process.argv.slice(2)], {
  env: pinnedEnvironment(),
});
