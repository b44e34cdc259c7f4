import { opendir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './fs-words.ts';
import { shownPath } from './paths.ts';

/** Names looked at in one folder. */
const mostNames = 10_000;

/** `src/mian.ts does not exist. Did you mean src/main.ts?`, or the nearest folder that does exist. */
export const missingWords = async (working_directory: string, absolute: string): Promise<string> => {
  const shown = shownPath(working_directory, absolute);
  let wanted = absolute;
  for (;;) {
    const folder = dirname(wanted);
    const names = await namesIn(folder);
    if (names !== undefined) {
      const near = nearNames(basename(wanted), names).map((name) =>
        shownPath(working_directory, join(folder, name)),
      );
      const lost = wanted === absolute ? '' : ` (there is no ${shownPath(working_directory, wanted)})`;
      const hint =
        near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Look for it with glob or list_directory.';
      return `${shown} does not exist${lost}. ${hint}`;
    }
    if (folder === wanted) return `${shown} does not exist.`;
    wanted = folder;
  }
};

/** undefined where the folder is not there or may not be read. */
const namesIn = async (folder: string): Promise<string[] | undefined> => {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      names.push(entry.name);
      if (names.length >= mostNames) break;
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
  return names;
};

/** At most three names that a slip of the keyboard or of memory could have turned into `wanted`, best first. */
export const nearNames = (wanted: string, names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, distance: nameDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(wanted.length / 3)))
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);

/** Edits from one to the other; a name with only its ending changed is one edit away. */
const nameDistance = (a: string, b: string): number => {
  const stem = (name: string) => name.replace(/\.[^.]+$/, '');
  if (a !== b && stem(a) !== '' && stem(a) === stem(b)) return 1;
  return levenshtein(a, b);
};

const levenshtein = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};
