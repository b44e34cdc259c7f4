import { execFile } from 'node:child_process';
import type { AgentState } from '@maestro/ports';
import { fields, parseJson } from '../../vendors/shared/json.ts';
import { install_hint, login_hint, notInstalled, tooOld, update_hint } from './errors.ts';
import { modelsOf } from './models.ts';
import { isTooOld, versionOf } from './version.ts';

export interface LookOptions {
  /** Where it was found; undefined: nowhere. */
  readonly program: string | undefined;
  /** Where it was to be, if the configuration names a place. */
  readonly path: string | null;
  readonly env: Readonly<Record<string, string>>;
}

const patience_ms = 20_000;

/** Installed, new enough, logged in? Asks the program for its version and its login; calls nobody. */
export const lookAt = async (
  { program, path, env }: LookOptions,
  signal: AbortSignal,
): Promise<AgentState> => {
  const models = modelsOf();
  if (program === undefined) {
    const hint = path === null ? install_hint : `${notInstalled(path).message} ${install_hint}`;
    return { state: 'not_installed', hint, program: null, models };
  }
  const version = await versionOf(program, env);
  const named = `claude ${version ?? '?'}, ${program}`;
  if (version === null || isTooOld(version))
    return { state: 'too_old', hint: `${tooOld(version).message} ${update_hint}`, program: named, models };
  if (await isLoggedIn(program, env, signal)) return { state: 'ready', hint: null, program: named, models };
  return { state: 'needs_login', hint: login_hint, program: named, models };
};

/** `claude auth status` says it as JSON, and ends with 1 where nobody is logged in. */
const isLoggedIn = (
  program: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> =>
  new Promise((resolve) => {
    const options = { env, signal, timeout: patience_ms, windowsHide: true };
    execFile(program, ['auth', 'status', '--json'], options, (_, stdout) =>
      resolve(fields(parseJson(stdout))['loggedIn'] === true),
    );
  });
