import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';

/** The oldest Claude Code this was tried with; what it says of each turn's cost is not in much older ones. */
export const oldest_version = '2.1.329';

/** How long `claude --version` may take, ms. It takes 30. */
const patience_ms = 20_000;

const known = new Map<string, Promise<string | null>>();

/** What the program says of its version (`2.1.329`); null where it says none. Asked again only when the file has changed. */
export const versionOf = (program: string, env: Readonly<Record<string, string>>): Promise<string | null> => {
  const facts = statSync(program, { throwIfNoEntry: false });
  const key = `${program} ${facts?.size} ${facts?.mtimeMs}`;
  const asked = known.get(key) ?? ask(program, env);
  known.set(key, asked);
  return asked;
};

const ask = (program: string, env: Readonly<Record<string, string>>): Promise<string | null> =>
  new Promise((resolve) => {
    execFile(program, ['--version'], { env, timeout: patience_ms, windowsHide: true }, (_, stdout) =>
      resolve(/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null),
    );
  });

export const isTooOld = (version: string): boolean => {
  const [have, least] = [version, oldest_version].map((each) => each.split('.').map(Number));
  for (const [index, number] of (least ?? []).entries()) {
    const mine = have?.[index] ?? 0;
    if (mine !== number) return mine < number;
  }
  return false;
};
