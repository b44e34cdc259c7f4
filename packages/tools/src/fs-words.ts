import type { Stats } from 'node:fs';

/** The system's code of an error (`ENOENT`), where it has one. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

const reasons: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES:
    'the system does not permit it (permission denied). Choose another place, or ask the person to change its permissions',
  EPERM:
    'the system does not permit it (operation not permitted). Choose another place, or ask the person to change its permissions',
  ELOOP: 'its symbolic links form a loop. Look at them with list_directory and use the path of a real file',
  ENOTDIR: 'a part of the path is a file, not a folder. Check the path with list_directory',
  EEXIST: 'a part of the path is a file, not a folder. Check the path with list_directory',
  EISDIR: 'it is a folder, not a file',
  ENAMETOOLONG: 'the name is longer than the file system permits. Use a shorter one',
  EROFS: 'the file system is read-only. Choose another place',
  ENOSPC: 'the disk is full. Free some space first',
  EDQUOT: 'the disk quota is used up. Free some space first',
  EMFILE: 'too many files are open just now. Try again',
  ENFILE: 'too many files are open just now. Try again',
  EBUSY: 'it is in use by another process. Try again later',
  EIO: 'the device reports an input/output error',
  ETXTBSY: 'it is a program that is running now. End it first',
};

/** `Cannot write a/b: the disk is full. …` for what the system says; what it did not say is a bug of ours and thrown on. */
export const fsWords = (error: unknown, action: string, path: string): string => {
  const code = codeOf(error);
  if (code === 'ERR_INVALID_ARG_VALUE')
    return `Cannot ${action} ${path}: the path holds a NUL character. Remove it.`;
  if (code === undefined || !(error instanceof Error) || code.startsWith('ERR_')) throw error;
  return `Cannot ${action} ${path}: ${reasons[code] ?? error.message}${code in reasons ? ` (${code})` : ''}.`;
};

/** What a path is, when it is neither a file nor a folder. */
export const specialKind = (stats: Stats): string | undefined => {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  if (stats.isCharacterDevice()) return 'a character device';
  if (stats.isBlockDevice()) return 'a block device';
  return undefined;
};
