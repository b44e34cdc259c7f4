import { stat } from 'node:fs/promises';
import { codeOf, fsWords } from './fs-words.ts';
import { missingWords } from './near-names.ts';
import { shownPath } from './paths.ts';

/** Why a program cannot run in this folder; undefined where it can. A missing one would look like a missing program. */
export const folderRefusal = async (
  working_directory: string,
  folder: string,
): Promise<string | undefined> => {
  const shown = folder === working_directory ? folder : shownPath(working_directory, folder);
  try {
    return (await stat(folder)).isDirectory()
      ? undefined
      : `${shown} is not a folder: nothing can run in it.`;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return fsWords(error, 'run in', shown);
    if (folder === working_directory)
      return `The session's working directory ${folder} does not exist any more. Make it again, or give the session another one.`;
    return missingWords(working_directory, folder);
  }
};
