// `npm run test:live`: checks the real vendors with your own keys, and spends at most a named sum. Not part of `npm test`.
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { pinnedEnvironment, pinnedNode, root } from './node.mjs';
import { become } from './run.mjs';

await ensureInstalled();
become(pinnedNode(), [join(root, 'tests', 'live', 'main.ts'), ...process.argv.slice(2)], {
  cwd: root,
  env: pinnedEnvironment(),
});
