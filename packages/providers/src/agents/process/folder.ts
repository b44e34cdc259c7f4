import { statSync } from 'node:fs';
import type { ProviderError } from '@maestro/ports';

/** Why no program can work in this folder; undefined where one can. A missing one would look like a missing program. */
export const folderFault = (folder: string): ProviderError | undefined => {
  const facts = statSync(folder, { throwIfNoEntry: false });
  if (facts?.isDirectory()) return undefined;
  return {
    cause: 'not_found',
    message: facts
      ? `The session's working directory ${folder} is not a folder.`
      : `The session's working directory ${folder} does not exist any more.`,
    remedy: 'Make it again, or give the session another one, then resume the turn.',
  };
};
