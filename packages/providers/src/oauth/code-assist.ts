import type { ProviderError, Result, TokenFailure } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { type Fields, fields, list, word } from '../vendors/shared/json.ts';
import type { LoginDeps } from './deps.ts';
import { again } from './token-call.ts';
import { askVendor } from './vendor-call.ts';

export interface CodeAssist {
  /** No slash at the end. */
  readonly service_url: string;
  /** The person's own Cloud project (`GOOGLE_CLOUD_PROJECT`). */
  readonly project_id: string | undefined;
}

type Answer = Result<Fields, TokenFailure>;
type Call = (path: string, profile: string, body: Json | null) => Promise<Answer>;

/** As gemini-cli waits between its questions; it asks without end, we for two minutes. */
const poll_ms = 5_000;
const polls = 24;
/** Before a call that can be repeated is made again. */
const waits_ms = [1_000, 5_000];

/** Order and values as gemini-cli sends them. */
const metadata = { ideType: 'IDE_UNSPECIFIED', platform: 'PLATFORM_UNSPECIFIED', pluginType: 'GEMINI' };

/**
 * What Code Assist wants before the first call: it is asked for the account's tier and project, and an account
 * without a tier is entered for one. May be repeated: an account that is entered is only looked up. Its calls
 * are made again where the network or the service failed; if that does not help the kind is `unknown`, because the
 * code of the login is used up by now.
 */
export const findProject = async (
  deps: LoginDeps,
  assist: CodeAssist,
  access_token: string,
  signal: AbortSignal,
): Promise<Result<string, TokenFailure>> => {
  const call = callOf(deps, assist, access_token, signal);
  const own = assist.project_id;
  const loaded = await call('v1internal:loadCodeAssist', 'gemini-cli-oauth-loadCodeAssist', {
    ...(own !== undefined && { cloudaicompanionProject: own }),
    metadata: { ...metadata, ...(own !== undefined && { duetProject: own }) },
  });
  if (!loaded.ok) return loaded;
  const { value } = loaded;
  const project = projectOf(value['cloudaicompanionProject']) ?? own;
  if (word(fields(value['currentTier'])['id']) !== undefined)
    return project === undefined ? refused(noProject(value)) : { ok: true, value: project };
  const verify = verification(value);
  if (verify !== undefined) return refused(verify);

  const { tier, wantsProject } = tierOf(value);
  if (wantsProject && own === undefined) return refused(noProject(value));
  // A free account gets a project of Google's own; naming one is answered with "Precondition Failed".
  const named = tier === 'free-tier' ? undefined : own;
  const entered = await enter(deps, call, signal, {
    tierId: tier,
    ...(named !== undefined && { cloudaicompanionProject: named }),
    metadata: { ...metadata, ...(named !== undefined && { duetProject: named }) },
  });
  if (!entered.ok) return entered;
  const given = projectOf(fields(entered.value['response'])['cloudaicompanionProject']) ?? own;
  return given === undefined ? refused(noProject(value)) : { ok: true, value: given };
};

/** Enters the account and waits until Google has done it. */
const enter = async (deps: LoginDeps, call: Call, signal: AbortSignal, body: Json): Promise<Answer> => {
  let asked = await call('v1internal:onboardUser', 'gemini-cli-oauth-onboardUser', body);
  for (let count = 0; ; count += 1) {
    if (!asked.ok) return asked;
    const operation = asked.value;
    const failed = word(fields(operation['error'])['message']);
    if (failed !== undefined) {
      return refused({
        cause: 'refused',
        message: `Google could not prepare Gemini Code Assist for this account: ${failed}`,
        remedy: 'Log in with another account, or use an API key.',
      });
    }
    const name = word(operation['name']);
    if (operation['done'] === true || name === undefined) return asked;
    if (count === polls || signal.aborted) {
      const seconds = (count * poll_ms) / 1_000;
      const error: ProviderError = {
        cause: 'timeout',
        message: `Google is still preparing Gemini Code Assist for this account after ${seconds} s.`,
        remedy: 'Begin the login again in a few minutes.',
      };
      return { ok: false, error: { kind: 'unknown', error } };
    }
    await deps.wait(poll_ms, signal);
    asked = await call(`v1internal/${name}`, 'gemini-cli-oauth-onboardUser', null);
  }
};

const callOf =
  (deps: LoginDeps, assist: CodeAssist, access_token: string, signal: AbortSignal): Call =>
  async (path, profile, body) => {
    for (let tries = 0; ; tries += 1) {
      const asked = await askVendor(
        deps,
        {
          vendor: 'Google Code Assist',
          method: body === null ? 'GET' : 'POST',
          url: `${assist.service_url}/${path}`,
          profile,
          body: body === null ? null : JSON.stringify(body),
          access_token,
          secrets: [access_token],
          remedy: again.exchange,
        },
        signal,
      );
      if (asked.ok) return { ok: true, value: asked.value.json };
      const { kind, error } = asked.error;
      if (kind === 'refused') return asked;
      const wait = waits_ms[tries];
      if (wait === undefined || signal.aborted) {
        const remedy = `The login itself went well, but its code is used up. ${again.exchange}`;
        return { ok: false, error: { kind: 'unknown', error: { ...error, remedy } } };
      }
      await deps.wait(wait, signal);
    }
  };

/** Its id, as text or in an object. */
const projectOf = (value: Json | undefined): string | undefined => word(value) ?? word(fields(value)['id']);

/** The default of those the account may have; where Google names none, the one gemini-cli takes then. */
const tierOf = (loaded: Fields): { tier: string; wantsProject: boolean } => {
  const found = list(loaded['allowedTiers'])
    .map(fields)
    .find((one) => one['isDefault'] === true);
  const tier = word(found?.['id']);
  return tier === undefined
    ? { tier: 'legacy-tier', wantsProject: true }
    : { tier, wantsProject: found?.['userDefinedCloudaicompanionProject'] === true };
};

const refused = (error: ProviderError): { ok: false; error: TokenFailure } => ({
  ok: false,
  error: { kind: 'refused', error },
});

/** Google wants to see the person once more. */
const verification = (loaded: Fields): ProviderError | undefined => {
  const tier = list(loaded['ineligibleTiers'])
    .map(fields)
    .find((one) => one['reasonCode'] === 'VALIDATION_REQUIRED' && word(one['validationUrl']) !== undefined);
  if (tier === undefined) return undefined;
  return {
    cause: 'permission',
    message: `Google wants this account to be verified first: ${word(tier['reasonMessage']) ?? 'no reason was given'}`,
    remedy: `Open ${word(tier['validationUrl'])}, then begin the login again.`,
  };
};

const noProject = (loaded: Fields): ProviderError => {
  const reasons = list(loaded['ineligibleTiers'])
    .map((tier) => word(fields(tier)['reasonMessage']))
    .filter((reason) => reason !== undefined);
  if (reasons.length > 0) {
    return {
      cause: 'permission',
      message: `Gemini Code Assist is not open to this Google account: ${reasons.join(' ')}`,
      remedy:
        'Log in with another account, set GOOGLE_CLOUD_PROJECT for the server to a Cloud project of a licensed account, or use an API key.',
    };
  }
  return {
    cause: 'permission',
    message: 'This Google account needs a Cloud project of its own for Gemini Code Assist.',
    remedy:
      'Set GOOGLE_CLOUD_PROJECT to the id of a project in which the Gemini for Google Cloud API is on (in the environment of the server or its config.json), start again, and log in once more.',
  };
};
