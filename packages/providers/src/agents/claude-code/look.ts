import type { AgentState } from '@maestro/ports';
import { fields, parseJson } from '../../vendors/shared/json.ts';
import { askProgram } from '../process/ask-program.ts';
import { install_hint, login_hint, notInstalled, tooOld, unanswering, update_hint } from './errors.ts';
import { modelsOf } from './models.ts';
import { isTooOld, versionOf } from './version.ts';

export interface LookOptions {
  /** Where it was found; undefined: nowhere. */
  readonly program: string | undefined;
  /** Where it was to be, if the configuration names a place. */
  readonly path: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take in all, ms. */
  readonly patience_ms: number;
}

/** Installed, new enough, logged in? Asks the program for its version and its login; calls nobody. */
export const lookAt = async (
  { program, path, env, patience_ms }: LookOptions,
  signal: AbortSignal,
): Promise<AgentState> => {
  const models = modelsOf();
  if (program === undefined) {
    const hint = path === null ? install_hint : `${notInstalled(path).message} ${install_hint}`;
    return { state: 'not_installed', hint, program: null, models };
  }
  const until = AbortSignal.any([signal, AbortSignal.timeout(patience_ms)]);
  const mute = (named: string): AgentState => {
    const { message, remedy } = unanswering(program);
    return { state: 'unreachable', hint: `${message} ${remedy}`, program: named, models };
  };
  const version = await versionOf(program, env, until);
  if (version === undefined) return mute(program);
  const named = `claude ${version ?? '?'}, ${program}`;
  if (version === null || isTooOld(version))
    return { state: 'too_old', hint: `${tooOld(version).message} ${update_hint}`, program: named, models };
  // It says it as JSON, and ends with 1 where nobody is logged in.
  const login = await askProgram({ program, args: ['auth', 'status', '--json'], env, patience_ms }, until);
  if (login === undefined) return mute(named);
  const logged_in = fields(parseJson(login))['loggedIn'] === true;
  if (logged_in) return { state: 'ready', hint: null, program: named, models };
  return { state: 'needs_login', hint: login_hint, program: named, models };
};
