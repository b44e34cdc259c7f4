import { z } from 'zod';
import { AuditEvent } from '../audit.ts';
import { Credential, ProviderFacts, ServerFacts, Stats, ToolFacts } from '../facts.ts';
import { CredentialId } from '../ids.ts';
import { AskedInstant, TimeZone } from '../json.ts';
import { route } from '../route.ts';
import { Totals, UsageBy, UsageLine } from '../usage.ts';
import { ProviderId } from '../words.ts';

export const serverFacts = route({
  id: 'serverFacts',
  method: 'GET',
  path: '/api/v1/server',
  summary: 'Versions, paths and database engine.',
  response: ServerFacts,
  status: 200,
});

export const serverStats = route({
  id: 'serverStats',
  method: 'GET',
  path: '/api/v1/server/stats',
  summary: 'CPU, memory, event-loop delay and sockets, now.',
  response: Stats,
  status: 200,
});

export const providers = route({
  id: 'providers',
  method: 'GET',
  path: '/api/v1/providers',
  summary: 'Every provider with its state, credential source and models.',
  query: z.object({ refresh: z.stringbool().default(false) }),
  response: z.object({ providers: z.array(ProviderFacts) }),
  status: 200,
});

export const tools = route({
  id: 'tools',
  method: 'GET',
  path: '/api/v1/tools',
  summary: 'Every tool with its parameters and global switch.',
  response: z.object({ tools: z.array(ToolFacts) }),
  status: 200,
});

export const patchTool = route({
  id: 'patchTool',
  method: 'PATCH',
  path: '/api/v1/tools/:name',
  summary: 'Switches a tool on or off for all sessions.',
  params: z.object({ name: z.string() }),
  body: z.strictObject({ is_enabled: z.boolean() }),
  response: z.object({ tool: ToolFacts }),
  status: 200,
});

export const credentials = route({
  id: 'credentials',
  method: 'GET',
  path: '/api/v1/credentials',
  summary: 'Saved credentials; of a secret only the last four characters.',
  response: z.object({ credentials: z.array(Credential) }),
  status: 200,
});

export const createCredential = route({
  id: 'createCredential',
  method: 'POST',
  path: '/api/v1/credentials',
  summary:
    'Saves an API key. It is tested with one real call before it is called valid, and becomes the default only if it works.',
  body: z.strictObject({
    id: CredentialId.optional(),
    provider: ProviderId,
    name: z.string().trim().min(1).max(100).default('default'),
    api_key: z.string().trim().min(1).max(10_000),
    profile: z.string().max(100).nullable().default(null),
    is_default: z.boolean().default(true),
  }),
  /** `message`: what the call with it said. */
  response: z.object({ credential: Credential, ok: z.boolean(), message: z.string() }),
  status: 201,
});

const byId = z.object({ id: CredentialId });

export const testCredential = route({
  id: 'testCredential',
  method: 'POST',
  path: '/api/v1/credentials/:id/test',
  summary: 'Tests a saved credential with one real call.',
  params: byId,
  response: z.object({ credential: Credential, ok: z.boolean(), message: z.string() }),
  status: 200,
});

export const deleteCredential = route({
  id: 'deleteCredential',
  method: 'DELETE',
  path: '/api/v1/credentials/:id',
  summary:
    'Deletes a saved credential. A login is ended at its vendor as well where that can be done; it is deleted here either way.',
  params: byId,
  query: z.object({ revoke: z.stringbool().default(true) }),
  /** `revoked`: whether the vendor ended it; null: it was not asked to. `message`: what was done, and what is left to do. */
  response: z.object({ revoked: z.boolean().nullable(), message: z.string() }),
  status: 200,
});

export const audit = route({
  id: 'audit',
  method: 'GET',
  path: '/api/v1/audit',
  summary: 'The audit trail, newest first.',
  query: z.object({
    before: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  }),
  response: z.object({ events: z.array(AuditEvent), next: z.string().nullable() }),
  status: 200,
});

export const usage = route({
  id: 'usage',
  method: 'GET',
  path: '/api/v1/usage',
  summary: 'Tokens and cost of everything, from the ledger: also of sessions that were deleted.',
  query: z.object({
    by: UsageBy.default('day'),
    /** Days are those of this time zone. */
    time_zone: TimeZone.default('UTC'),
    from: AskedInstant.optional(),
    to: AskedInstant.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(366),
  }),
  response: z.object({ by: UsageBy, total: Totals, lines: z.array(UsageLine) }),
  status: 200,
});

export const openapi = route({
  id: 'openapi',
  method: 'GET',
  path: '/api/v1/openapi.json',
  summary: 'This API as OpenAPI 3.1.',
  response: z.record(z.string(), z.unknown()),
  status: 200,
});
