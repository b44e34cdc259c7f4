import type { ProviderError } from '@maestro/ports';
import type { Cause } from '@maestro/protocol';
import { type Fields, list, text } from '../../vendors/shared/json.ts';
import { oldest_version } from './version.ts';

export const stopped: ProviderError = { cause: 'aborted', message: 'Claude Code was stopped.' };

const install = 'npm install -g @anthropic-ai/claude-code (Node 22 or newer)';

export const install_hint = `Install Claude Code, for example with ${install}, or name its program in MAESTRO_CLAUDE_PATH.`;
export const login_hint =
  'Run claude in a terminal on this machine, log in with /login, and look again. An ANTHROPIC_API_KEY in the environment of The Maestro works too.';
export const update_hint = `Update it with: claude update. The Maestro needs ${oldest_version} or newer.`;

export const notInstalled = (path: string | null): ProviderError => ({
  cause: 'not_found',
  message: path
    ? `There is no program at ${path}, which MAESTRO_CLAUDE_PATH names.`
    : 'Claude Code is not installed: there is no claude on the PATH of The Maestro.',
  remedy: install_hint,
});

export const tooOld = (version: string | null): ProviderError => ({
  cause: 'invalid_request',
  message:
    version === null
      ? 'The program claude does not say its version: it may not be Claude Code.'
      : `Claude Code ${version} is too old.`,
  remedy: update_hint,
});

/** Of a question that it answers at once otherwise. */
export const unanswering = (program: string): ProviderError & { remedy: string } => ({
  cause: 'timeout',
  message: `The program ${program} does not answer: it was asked for its version or its login, and was ended.`,
  remedy: `Run "${program} --version" and "${program} auth status" in a terminal to see what it waits for. If it hangs there too, install Claude Code again, or name another program in MAESTRO_CLAUDE_PATH.`,
});

export const silent = (ms: number): ProviderError => ({
  cause: 'timeout',
  message: `Claude Code said nothing for ${Math.round(ms / 1000)} s, and was ended.`,
  remedy:
    'Resume the turn to let it go on. If your turns are that quiet, set MAESTRO_AGENT_SILENCE_S to more seconds.',
});

/** The process ended in the middle of a turn. */
export const died = (how: string, words: string): ProviderError => {
  const flag = /unknown option '([^']+)'/.exec(words)?.[1];
  if (flag)
    return {
      cause: 'invalid_request',
      message: `This Claude Code does not know ${flag}: ${words}`,
      remedy: update_hint,
    };
  return {
    cause: 'crash',
    message: `Claude Code ended in the middle of the turn (${how})${words === '' ? '.' : `: ${words}`}`,
    remedy: 'Resume the turn to let it go on.',
  };
};

const causes: Readonly<Record<string, Cause>> = {
  authentication_failed: 'auth',
  oauth_org_not_allowed: 'permission',
  billing_error: 'billing',
  rate_limit: 'rate_limit',
  overloaded: 'overloaded',
  invalid_request: 'invalid_request',
  model_not_found: 'not_found',
  max_output_tokens: 'max_output',
  server_error: 'server',
};

const remedies: Partial<Record<Cause, string>> = {
  auth: login_hint,
  permission: 'Check what your account may use, or choose another model.',
  billing: "Check your account's balance or plan with Anthropic.",
  rate_limit:
    'Wait until the limit is reset, then resume the turn; or switch the session to another provider.',
  overloaded: 'Wait a little, then resume the turn.',
  not_found: 'Choose another model for this session.',
  network: 'Check the network and, where it is set, ANTHROPIC_BASE_URL. Then resume the turn.',
  max_steps: 'Resume the turn to let it go on.',
  max_output: 'Resume the turn, or send "continue", to let it go on.',
};

/**
 * What a `result` says went wrong; undefined: nothing. `subtype` alone tells nothing: without a login it is `success`,
 * with `is_error`. `said`: the `error` of the synthetic answer before it.
 */
export const errorOf = (result: Fields, said: string | undefined): ProviderError | undefined => {
  if (result['is_error'] !== true && result['subtype'] === 'success') return undefined;
  const status = typeof result['api_error_status'] === 'number' ? result['api_error_status'] : undefined;
  const words =
    text(result['result']) ??
    list(result['errors'])
      .flatMap((each) => text(each) ?? [])
      .join('\n');
  const cause = causeOf(result, said, status);
  const remedy = remedies[cause] ?? 'Resume the turn to try again.';
  const code = said ?? text(result['subtype']);
  return {
    cause,
    message: `Claude Code: ${words === '' ? `it ended with ${code ?? 'an error'}` : words}`,
    remedy,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { vendor_code: code }),
  };
};

const causeOf = (result: Fields, said: string | undefined, status: number | undefined): Cause => {
  if (result['subtype'] === 'error_max_turns') return 'max_steps';
  if (result['api_error'] === 'connection_failed') return 'network';
  if (status === 529) return 'overloaded';
  if (status === 429) return 'rate_limit';
  const named = said === undefined ? undefined : causes[said];
  if (named) return named;
  if (status === 401) return 'auth';
  if (status === 403) return 'permission';
  if (status !== undefined && status >= 500) return 'server';
  if (status !== undefined && status >= 400) return 'invalid_request';
  return 'internal';
};

/** It was asked to go on with a conversation that it does not have. */
export const isUnknownConversation = (result: Fields): boolean =>
  result['subtype'] === 'error_during_execution' &&
  list(result['errors']).some((each) =>
    /No conversation found|requires a valid session/.test(text(each) ?? ''),
  );
