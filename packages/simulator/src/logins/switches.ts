import { LoginProvider } from '@maestro/protocol';
import { z } from 'zod';

/** How the login services behave from now on. */
export const LoginSwitches = z.strictObject({
  /** What the person does on the vendor's page. */
  person: z.enum(['approves', 'denies']).optional(),
  /** How long new access tokens live, in seconds; null: as long as the vendor's. */
  lifetime_s: z.number().positive().nullable().optional(),
  /** Before a token request is looked at: a time in which others may come. */
  token_delay_ms: z.number().nonnegative().optional(),
  /** What becomes of a request that ends a login: it is done · refused with a 503 · never answered. */
  revoking: z.enum(['works', 'fails', 'silent']).optional(),
  /** Anthropic refuses every call with a login: it is for Claude Code only. */
  policy: z.boolean().optional(),
  /** OpenAI: how often the device is to ask, in seconds. */
  device_interval_s: z.number().nonnegative().optional(),
  /** OpenAI: whether a refresh gives an `id_token`. */
  id_token_on_refresh: z.boolean().optional(),
  /**
   * Google: what `loadCodeAssist` finds. `ready`: a tier and a project · `new`: the free tier has to be onboarded ·
   * `own_project`: a paid tier that wants the person's own project · `ineligible`: none.
   */
  code_assist: z.enum(['ready', 'new', 'own_project', 'ineligible']).optional(),
  /** Google: how often an onboarding is asked for before it is done. */
  onboarding_polls: z.int().nonnegative().optional(),
});
export type LoginSwitches = z.infer<typeof LoginSwitches>;

export const usualSwitches: Required<LoginSwitches> = {
  person: 'approves',
  lifetime_s: null,
  token_delay_ms: 0,
  revoking: 'works',
  policy: false,
  device_interval_s: 5,
  id_token_on_refresh: true,
  code_assist: 'ready',
  onboarding_polls: 1,
};

/** What becomes of one token request in place of its answer. */
export const TokenFault = z.discriminatedUnion('kind', [
  /** The vendor's error of this status. `done`: it was carried out all the same, as behind a gateway that gave up. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(400).max(599),
    retry_after_s: z.number().optional(),
    done: z.boolean().default(false),
  }),
  /** The socket is destroyed; nothing was done. */
  z.strictObject({ kind: z.literal('cut') }),
  /** The code is used up or the token rotated, and then the socket is destroyed: the answer is lost. */
  z.strictObject({ kind: z.literal('lost') }),
  /** Silence until `release`, then the answer. `done`: it was carried out before the silence, not after. */
  z.strictObject({ kind: z.literal('stall'), done: z.boolean().default(false) }),
]);
export type TokenFault = z.output<typeof TokenFault>;
export type TokenFaultInput = z.input<typeof TokenFault>;

/** What `POST /__control/logins` takes. */
export const LoginCommand = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('configure'), switches: LoginSwitches }),
  z.strictObject({ do: z.literal('expire'), provider: LoginProvider.optional() }),
  z.strictObject({ do: z.literal('revoke'), provider: LoginProvider.optional() }),
  z.strictObject({
    do: z.literal('fail'),
    provider: LoginProvider,
    fault: TokenFault,
    times: z.int().positive().default(1),
  }),
  z.strictObject({ do: z.literal('release') }),
  z.strictObject({ do: z.literal('approve'), user_code: z.string() }),
  z.strictObject({ do: z.literal('issue'), provider: LoginProvider }),
]);
export type LoginCommand = z.infer<typeof LoginCommand>;
