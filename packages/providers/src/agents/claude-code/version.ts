import { statSync } from 'node:fs';
import { askProgram } from '../process/ask-program.ts';

/** The oldest Claude Code this was tried with; what it says of each turn's cost is not in much older ones. */
export const oldest_version = '2.1.329';

/** How long `claude --version` may take before a turn, ms. It takes 30 on a machine at rest. */
const patience_ms = 20_000;

const known = new Map<string, string>();

/**
 * What the program says of its version (`2.1.329`); null where it says none, undefined where it does not answer in time
 * or before the signal. Asked again only when the file has changed, or did not tell.
 */
export const versionOf = async (
  program: string,
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<string | null | undefined> => {
  const facts = statSync(program, { throwIfNoEntry: false });
  const key = `${program} ${facts?.size} ${facts?.mtimeMs}`;
  const told = known.get(key);
  if (told !== undefined) return told;
  const said = await askProgram({ program, args: ['--version'], env, patience_ms }, signal);
  if (said === undefined) return undefined;
  const version = /\d+\.\d+\.\d+/.exec(said)?.[0] ?? null;
  if (version !== null) known.set(key, version);
  return version;
};

export const isTooOld = (version: string): boolean => {
  const [have, least] = [version, oldest_version].map((each) => each.split('.').map(Number));
  for (const [index, number] of (least ?? []).entries()) {
    const mine = have?.[index] ?? 0;
    if (mine !== number) return mine < number;
  }
  return false;
};
