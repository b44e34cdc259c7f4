import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './fs-words.ts';

/** What tells that a file is still the one that was read. */
export type Stamp = Pick<Stats, 'ino' | 'size' | 'mtimeMs'>;

/** Rejects `writeAtomic`: the file is not as `expected` any more; nothing was written. */
export class FileChanged extends Error {}

/** The folder admits no new file beside this one, or the file is a mount of its own: it is written in place. */
const noRename = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV']);

/**
 * Replaces the file at `target` (a real path, no symlink) by `bytes` in one step: readers see the old file or the new,
 * a crash leaves one of them whole. Its folders are made; mode and owner of an existing file are kept. With
 * `expected`, the file must still be that one (null: must not exist). Rejects as the file system does.
 */
export const writeAtomic = async (
  target: string,
  bytes: Uint8Array,
  expected?: Stamp | null,
): Promise<void> => {
  const before = await statOf(target);
  if (before) await access(target, constants.W_OK);
  else await mkdir(dirname(target), { recursive: true });
  const temporary = join(
    dirname(target),
    `.${basename(target).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    await writeBeside(temporary, bytes, before);
    await stillAsExpected(target, expected);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!before || !noRename.has(codeOf(error) ?? '')) throw error;
    await stillAsExpected(target, expected);
    await writeFile(target, bytes);
  }
};

const stillAsExpected = async (target: string, expected: Stamp | null | undefined): Promise<void> => {
  if (expected !== undefined && !same(await statOf(target), expected)) throw new FileChanged(target);
};

const writeBeside = async (temporary: string, bytes: Uint8Array, like: Stats | undefined): Promise<void> => {
  await using file = await open(temporary, 'wx', 0o666);
  await file.writeFile(bytes);
  if (like) {
    await keepOwner(file, like);
    await file.chmod(like.mode & 0o7777);
  }
  await file.sync();
};

const keepOwner = async (file: FileHandle, like: Stats): Promise<void> => {
  const now = await file.stat();
  if (now.uid !== like.uid || now.gid !== like.gid) await file.chown(like.uid, like.gid);
};

const statOf = async (path: string): Promise<Stats | undefined> => {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const same = (now: Stamp | undefined, expected: Stamp | null): boolean =>
  now === undefined || expected === null
    ? now === undefined && expected === null
    : now.ino === expected.ino && now.size === expected.size && now.mtimeMs === expected.mtimeMs;
