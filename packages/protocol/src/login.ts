import { z } from 'zod';
import { CredentialId, FlowId } from './ids.ts';
import { Instant } from './json.ts';

/** Vendors whose account can be used in place of an API key (P8). */
export const LoginProvider = z.enum(['anthropic', 'openai', 'gemini']);
export type LoginProvider = z.infer<typeof LoginProvider>;

/**
 * How the vendor's answer comes back: `callback` the browser is sent to a port of this machine · `paste` the person
 * copies a code or the address of the last page · `device` the person types our code on the vendor's page.
 */
export const LoginMethod = z.enum(['callback', 'paste', 'device']);
export type LoginMethod = z.infer<typeof LoginMethod>;

/** `waiting` for the person · `exchanging` the code for tokens · `done` · `failed` · `expired` · `cancelled`. Only `waiting` can still be completed. */
export const LoginState = z.enum(['waiting', 'exchanging', 'done', 'failed', 'expired', 'cancelled']);
export type LoginState = z.infer<typeof LoginState>;

/** One login while it is under way, and how it ended. */
export const LoginFlow = z.object({
  id: FlowId,
  provider: LoginProvider,
  /** What the credential is called that it makes or renews. */
  name: z.string(),
  method: LoginMethod,
  /** Where the person logs in, to open or to copy. */
  url: z.string(),
  /** `device`: what the person types there. */
  user_code: z.string().nullable(),
  state: LoginState,
  /** Why it failed and what to do; of one that is done, what is unexpected about it. */
  message: z.string().nullable(),
  /** The credential it made or renewed, once done. */
  credential_id: CredentialId.nullable(),
  expires_at: Instant,
  created_at: Instant,
});
export type LoginFlow = z.infer<typeof LoginFlow>;

/** What a login of a vendor needs before it can begin. */
export const LoginFacts = z.object({
  provider: LoginProvider,
  name: z.string(),
  /** Best first. */
  methods: z.array(LoginMethod),
  /** What the vendor's terms say of using its account from other programs. */
  terms: z.object({ text: z.string(), url: z.string() }),
  /** When the person took note of it; null: has to before the first login. */
  acknowledged_at: Instant.nullable(),
  /** What has to be configured first, in words; null: nothing. */
  missing: z.string().nullable(),
  /** What else may end when a login is ended at the vendor, in words; null: it cannot be ended there from here. */
  revoke_note: z.string().nullable(),
  /** Where the person takes the access away at the vendor, in words. */
  access_settings: z.string(),
});
export type LoginFacts = z.infer<typeof LoginFacts>;
