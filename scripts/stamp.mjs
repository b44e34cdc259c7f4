// Says whether something made from files is still current: a quick look at sizes and times, a hash when they differ.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './node.mjs';

const left = new Set(['node_modules', 'dist', 'test', 'fixtures', 'coverage']);
const isTest = (name) => /\.test\.tsx?$/.test(name);

const walk = (path, found) => {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) return;
  if (entry.isFile()) {
    found.push({ path, size: entry.size, time: entry.mtimeMs });
    return;
  }
  for (const child of readdirSync(path, { withFileTypes: true })) {
    if (left.has(child.name) || isTest(child.name)) continue;
    const below = join(path, child.name);
    if (child.isDirectory()) walk(below, found);
    else if (child.isFile()) walk(below, found);
  }
};

const digest = (parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};

const nameOf = (path) => relative(root, path);

/** Compares `sources` (files and folders, absolute) with the stamp of the last time; `write` records them as they were found. */
export const compare = (stampPath, sources) => {
  const files = [];
  for (const source of sources) walk(source, files);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const quick = digest(files.map((file) => `${nameOf(file.path)} ${file.size} ${file.time}`));
  const [oldQuick, oldContent] = existsSync(stampPath) ? readFileSync(stampPath, 'utf8').split('\n') : [];
  if (quick === oldQuick) return { current: true, write: () => undefined };
  const content = digest(files.flatMap((file) => [nameOf(file.path), readFileSync(file.path)]));
  const write = () => {
    mkdirSync(dirname(stampPath), { recursive: true });
    writeFileSync(stampPath, `${quick}\n${content}\n`);
  };
  return { current: content === oldContent, write };
};
