// `npm run bench`: installs and builds what is missing, then runs the benchmarks on the pinned Node.
// `npm run bench -- --help` names the options.
import { join } from 'node:path';
import { ensurePage, ensureServer } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { pinnedEnvironment, pinnedNode, root } from './node.mjs';
import { become } from './run.mjs';

await ensureInstalled();
await ensureServer();
await ensurePage();
become(pinnedNode(), [join(root, 'bench', 'main.ts'), ...process.argv.slice(2)], {
  env: pinnedEnvironment(),
});
