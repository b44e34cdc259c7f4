import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { codeOf, fsWords, specialKind } from './fs-words.ts';
import { missingWords } from './near-names.ts';
import { absolutePath, shownPath } from './paths.ts';

/** Where glob and search begin. */
export interface SearchRoot {
  /** The real folder; nothing outside it is reached, as ripgrep follows no symlinks. */
  readonly cwd: string;
  /** The file in it, where the path is a file. */
  readonly file: string | undefined;
  /** The folder as people read it. */
  readonly shown: string;
}

/** The folder or file to look in, or why not, in words. */
export const searchRoot = async (
  working_directory: string,
  path: string,
): Promise<SearchRoot | { readonly refusal: string }> => {
  const absolute = absolutePath(working_directory, path);
  const shown = shownPath(working_directory, absolute);
  try {
    const real = await realpath(absolute);
    const stats = await stat(real);
    if (stats.isDirectory()) return { cwd: real, file: undefined, shown };
    const special = specialKind(stats);
    if (special !== undefined)
      return { refusal: `${shown} is ${special}: there is nothing to look for in it.` };
    return {
      cwd: dirname(real),
      file: basename(real),
      shown: shownPath(working_directory, dirname(absolute)),
    };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { refusal: await missingWords(working_directory, absolute) };
    return { refusal: fsWords(error, 'look in', shown) };
  }
};

/** A path below the root as a model can use it in the next call. */
export const underRoot = (root: Pick<SearchRoot, 'shown'>, path: string): string => {
  const plain = path.replaceAll('\\', process.platform === 'win32' ? '/' : '\\').replace(/^\.\//, '');
  if (root.shown === '.') return plain;
  return root.shown.endsWith('/') ? root.shown + plain : `${root.shown}/${plain}`;
};
