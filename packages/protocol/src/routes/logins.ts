import { z } from 'zod';
import { Credential } from '../facts.ts';
import { CredentialId, FlowId } from '../ids.ts';
import { LoginFacts, LoginFlow, LoginMethod, LoginProvider } from '../login.ts';
import { route } from '../route.ts';

const byFlow = z.object({ flow_id: FlowId });
const byId = z.object({ id: CredentialId });

export const logins = route({
  id: 'logins',
  method: 'GET',
  path: '/api/v1/oauth',
  summary: 'Vendors whose account can be used, their terms, and the logins under way.',
  response: z.object({ providers: z.array(LoginFacts), flows: z.array(LoginFlow) }),
  status: 200,
});

export const startLogin = route({
  id: 'startLogin',
  method: 'POST',
  path: '/api/v1/oauth/:provider/start',
  summary:
    'Begins a login and gives the address where the person logs in. It can be completed once, within 15 minutes.',
  params: z.object({ provider: LoginProvider }),
  body: z.strictObject({
    method: LoginMethod.optional(),
    /** Name of the credential it will make. */
    name: z.string().trim().min(1).max(100).default('default'),
    /** Logs in to this credential again instead of making one. */
    credential_id: CredentialId.optional(),
    /** Has to be true for the first login of a vendor: the person has read its terms. */
    acknowledge_terms: z.boolean().default(false),
  }),
  response: z.object({ flow_id: FlowId, url: z.string(), flow: LoginFlow }),
  status: 201,
});

export const getLogin = route({
  id: 'getLogin',
  method: 'GET',
  path: '/api/v1/oauth/flows/:flow_id',
  summary: 'How far a login is.',
  params: byFlow,
  response: z.object({ flow: LoginFlow }),
  status: 200,
});

export const completeLogin = route({
  id: 'completeLogin',
  method: 'POST',
  path: '/api/v1/oauth/flows/:flow_id/complete',
  summary:
    'Completes a login with the code, `code#state`, or the whole address the vendor sent the browser to.',
  params: byFlow,
  body: z.strictObject({ code: z.string().trim().min(1).max(10_000) }),
  response: z.object({ flow: LoginFlow, credential: Credential }),
  status: 200,
});

export const cancelLogin = route({
  id: 'cancelLogin',
  method: 'DELETE',
  path: '/api/v1/oauth/flows/:flow_id',
  summary: 'Gives a login up; its port is closed.',
  params: byFlow,
  response: 'none',
  status: 204,
});

export const patchCredential = route({
  id: 'patchCredential',
  method: 'PATCH',
  path: '/api/v1/credentials/:id',
  summary:
    'Renames a credential, makes it the default of its provider and kind, pauses it, or names its header profile.',
  params: byId,
  body: z.strictObject({
    name: z.string().trim().min(1).max(100).optional(),
    is_default: z.literal(true).optional(),
    is_enabled: z.boolean().optional(),
    profile: z.string().max(100).nullable().optional(),
  }),
  response: z.object({ credential: Credential }),
  status: 200,
});

export const refreshCredential = route({
  id: 'refreshCredential',
  method: 'POST',
  path: '/api/v1/credentials/:id/refresh',
  summary:
    "Refreshes a login's token now. Waits for a refresh that is already under way instead of making a second.",
  params: byId,
  response: z.object({ credential: Credential, ok: z.boolean(), message: z.string() }),
  status: 200,
});
