import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fields, list, parseJson, text } from '../../vendors/shared/json.ts';

const files = ['settings.json', 'settings.local.json'];

/** What the settings of Claude Code in this folder deny, such as `Read(./.env)`; nothing where there are none. */
export const deniedIn = (folder: string): string[] =>
  files.flatMap((name) => {
    const { permissions } = fields(parseJson(read(join(folder, '.claude', name))));
    return list(fields(permissions)['deny']).flatMap((each) => text(each) ?? []);
  });

/** A file that is longer is not one of settings. */
const longest = 100_000;

const read = (path: string): string => {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    // A pipe would never end.
    if (!facts?.isFile() || facts.size > longest) return '';
    return readFileSync(path, 'utf8');
  } catch {
    // One that cannot be read is not read by Claude Code either.
    return '';
  }
};
