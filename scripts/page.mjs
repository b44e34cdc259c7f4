// Builds the page into apps/web/dist with vite, compressed beforehand. Runs on the pinned Node.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { build } from 'vite';
import { root } from './node.mjs';

const web = join(root, 'apps', 'web');
const out = join(web, 'dist');
/** A page that is open while it is built anew still finds what it loads late: the files of so many builds stay. */
const kept = 5;
/** Fonts and pictures are compressed already; a small file gains nothing, bytes. */
const compressible = /\.(js|css|html|svg|json)$/;
const leastSize = 1024;

// Whoever asks, a test run too, gets the build that people get.
process.env.NODE_ENV = 'production';

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile());

/** Leaves `name.br` and `name.gz` beside a file: the server sends what the browser takes, and never compresses itself. */
const compress = (path) => {
  const bytes = readFileSync(path);
  if (!compressible.test(path) || bytes.length < leastSize) return;
  const params = {
    [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY,
    [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
};

const fresh = join(root, '.cache', `page-${process.pid}`);
rmSync(fresh, { recursive: true, force: true });
try {
  await build({ root: web, logLevel: 'error', build: { outDir: fresh, emptyOutDir: true } });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  rmSync(fresh, { recursive: true, force: true });
  process.exit(1);
}
for (const name of filesOf(fresh)) compress(join(fresh, name));

// Hashed files first, the page that names them last, and each by rename: whoever asks meanwhile gets a whole page.
const isHashed = (name) => name.startsWith(`assets${sep}`);
const made = filesOf(fresh).sort((a, b) => Number(isHashed(b)) - Number(isHashed(a)));
for (const name of made) {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  renameSync(join(fresh, name), join(out, name));
}
rmSync(fresh, { recursive: true, force: true });
const list = join(root, '.cache', 'page-builds.json');
const builds = [made, ...(existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [])].slice(0, kept);
writeFileSync(list, JSON.stringify(builds));
// What has one name for all builds is this one's: an older `index.html.br` would be sent in its place.
const wanted = new Set([...made, ...builds.flat().filter(isHashed)]);
for (const name of filesOf(out)) if (!wanted.has(name)) rmSync(join(out, name), { force: true });
