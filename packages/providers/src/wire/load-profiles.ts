import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { HeaderProfile } from './header-profile.ts';
import { shippedProfiles } from './shipped-profiles.ts';

export interface LoadedProfiles {
  /** By id. */
  readonly profiles: ReadonlyMap<string, HeaderProfile>;
  /** Files of the person's folder that cannot be used, with the reason in words. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
}

/** The shipped header profiles and those of `folder` (`*.json`). A folder that does not exist is an empty one. */
export const loadProfiles = async (options: { folder?: string } = {}): Promise<LoadedProfiles> => {
  const profiles = new Map<string, HeaderProfile>();
  for (const data of shippedProfiles) {
    const profile = HeaderProfile.parse(data);
    profiles.set(profile.id, profile);
  }
  const problems: { file: string; reason: string }[] = [];
  for (const file of await jsonFiles(options.folder, problems)) {
    const read = await readProfile(file);
    if (!read.ok) {
      problems.push({ file, reason: read.reason });
    } else if (profiles.has(read.profile.id)) {
      problems.push({ file, reason: `the id ${read.profile.id} is taken: give the profile another id` });
    } else {
      profiles.set(read.profile.id, read.profile);
    }
  }
  return { profiles, problems };
};

const jsonFiles = async (
  folder: string | undefined,
  problems: { file: string; reason: string }[],
): Promise<string[]> => {
  if (folder === undefined) return [];
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      problems.push({ file: folder, reason: `cannot be listed: ${String(error)}` });
    }
    return [];
  }
};

const readProfile = async (
  file: string,
): Promise<{ ok: true; profile: HeaderProfile } | { ok: false; reason: string }> => {
  let data: unknown;
  try {
    data = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return {
      ok: false,
      reason: error instanceof SyntaxError ? `is not JSON: ${error.message}` : String(error),
    };
  }
  const parsed = HeaderProfile.safeParse(data);
  if (!parsed.success) return { ok: false, reason: z.prettifyError(parsed.error) };
  return { ok: true, profile: parsed.data };
};
