// Says whether something made from files is still current: a quick look at sizes and times, a hash when they differ.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { root } from './node.mjs';

const left = new Set(['node_modules', 'dist', 'test', 'fixtures', 'coverage']);
const isTest = (name) => /\.test\.tsx?$/.test(name);

const look = (path, found) => {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry?.isFile()) found.push({ path, size: entry.size, time: entry.mtimeMs });
  else if (entry) walk(path, found);
};

/** Every start of every command waits for this: one look at each file, and paths put together by hand. */
const walk = (folder, found) => {
  for (const child of readdirSync(folder, { withFileTypes: true })) {
    if (left.has(child.name) || isTest(child.name)) continue;
    const path = `${folder}${sep}${child.name}`;
    if (child.isDirectory()) walk(path, found);
    else if (child.isFile()) look(path, found);
  }
};

const digest = (parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};

const nameOf = (path) => path.slice(root.length + 1);

/** Compares `sources` (files and folders, absolute) with the stamp of the last time; `write` records them as they were found. */
export const compare = (stampPath, sources) => {
  const files = [];
  for (const source of sources) look(source, files);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const quick = digest([files.map((file) => `${nameOf(file.path)} ${file.size} ${file.time}`).join('\n')]);
  const [oldQuick, oldContent] = existsSync(stampPath) ? readFileSync(stampPath, 'utf8').split('\n') : [];
  if (quick === oldQuick) return { current: true, write: () => undefined };
  const content = digest(files.flatMap((file) => [nameOf(file.path), readFileSync(file.path)]));
  const write = () => {
    mkdirSync(dirname(stampPath), { recursive: true });
    writeFileSync(stampPath, `${quick}\n${content}\n`);
  };
  return { current: content === oldContent, write };
};
