import { readlink, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { codeOf } from './fs-words.ts';

/** Where `path` points: `~` is the home folder, a relative path starts at the working directory. */
export const absolutePath = (working_directory: string, path: string): string => {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  return resolve(working_directory, path);
};

/** A path as people read it: relative inside the working directory (`.` for itself), absolute outside; `/` as separator. */
export const shownPath = (working_directory: string, absolute: string): string => {
  const inside = relative(working_directory, absolute);
  if (inside === '') return '.';
  const outside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return (outside ? absolute : inside).replaceAll(sep, '/');
};

/** As many links as Linux follows (`MAXSYMLINKS`). */
const mostLinks = 40;

/**
 * `real`: the place that reading or writing `path` reaches. Symlinks of its nearest existing ancestor are resolved, a
 * dangling link is followed to where it points, what does not exist yet is added. A loop of links rejects with ELOOP.
 */
export const resolveTouch = async (
  working_directory: string,
  path: string,
): Promise<{ absolute: string; real: string }> => {
  const absolute = absolutePath(working_directory, path);
  const rest: string[] = [];
  let links = 0;
  for (let at = absolute; ; ) {
    const real = await ifThere(realpath(at));
    if (real !== undefined) return { absolute, real: join(real, ...rest.reverse()) };
    const link = await ifThere(readlink(at));
    const parent = dirname(at);
    if (link !== undefined) {
      links += 1;
      if (links > mostLinks)
        throw Object.assign(new Error(`too many symbolic links: ${path}`), { code: 'ELOOP' });
      at = resolve(parent, link);
    } else if (parent === at) return { absolute, real: absolute };
    else {
      rest.push(basename(at));
      at = parent;
    }
  }
};

/** EINVAL: `readlink` of what is no link. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'EINVAL']);

const ifThere = async (found: Promise<string>): Promise<string | undefined> => {
  try {
    return await found;
  } catch (error) {
    if (absent.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};
