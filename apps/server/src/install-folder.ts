import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Root of the checkout this program runs from, whether from its sources or from the bundle. */
export const installFolder = (): string => {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package-lock.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No checkout of The Maestro around ${import.meta.dirname}.`);
    folder = parent;
  }
  return folder;
};

/** Version of the product, from the root package.json. */
export const version = (): string => {
  const { version } = JSON.parse(readFileSync(join(installFolder(), 'package.json'), 'utf8'));
  return String(version);
};
