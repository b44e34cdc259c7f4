import { fail, ok } from '@maestro/ports';
import { type AuditEvent, type Credential, type CredentialId, type Json, newId } from '@maestro/protocol';
import type { ServerDeps } from '../deps.ts';
import type { Handlers, RequestContext } from './handler.ts';
import { openApiDocument } from './openapi.ts';

const auditOf = (
  { caller }: RequestContext,
  action: string,
  target: string,
  change: { before?: Json; after?: Json },
): Omit<AuditEvent, 'id' | 'at'> => ({
  actor: caller?.kind ?? 'nobody',
  action,
  target,
  before: change.before ?? null,
  after: change.after ?? null,
  outcome: 'ok',
  detail: null,
});

export const serverHandlers = ({
  stores,
  facts,
  stats,
}: ServerDeps): Pick<Handlers, 'serverFacts' | 'serverStats' | 'audit' | 'usage' | 'openapi'> => {
  let document: Record<string, unknown> | undefined;
  return {
    serverFacts: () => ok(facts()),
    serverStats: () => ok(stats()),
    audit: async ({ query }) => ok(await stores.audit.list(query)),
    usage: async ({ query }) => ok({ by: query.by, ...(await stores.usage.report(query)) }),
    openapi: () => {
      document ??= openApiDocument();
      return ok(document);
    },
  };
};

export const toolHandlers = ({ tools, stores, hub }: ServerDeps): Pick<Handlers, 'tools' | 'patchTool'> => ({
  tools: async () => ok({ tools: await tools.list() }),
  patchTool: async ({ params: { name }, body }, context) => {
    const tool = await tools.setEnabled(name, body.is_enabled);
    if (!tool)
      return fail('not_found', `There is no tool "${name}". GET /api/v1/tools lists them.`, {
        field: 'params.name',
      });
    await stores.audit.write(
      auditOf(context, 'tool.switch', name, { after: { is_enabled: tool.is_enabled } }),
    );
    hub.publish([{ stream: 'server', kind: 'tool', data: await tools.list() }]);
    return ok({ tool });
  },
});

const noCredential = (id: CredentialId) =>
  fail('not_found', `There is no credential "${id}". GET /api/v1/credentials lists them.`, {
    field: 'params.id',
  });

const shown = ({ id, provider, name, last4, state }: Credential): Json => ({
  id,
  provider,
  name,
  last4,
  state,
});

export const credentialHandlers = ({
  providers,
  stores,
}: ServerDeps): Pick<
  Handlers,
  'providers' | 'credentials' | 'createCredential' | 'testCredential' | 'deleteCredential'
> => {
  return {
    providers: async ({ query }) => ok({ providers: await providers.list(query.refresh) }),
    credentials: async () => ok({ credentials: await stores.credentials.list() }),

    createCredential: async ({ body: { id, api_key, ...body } }, context) => {
      const known = id === undefined ? undefined : await stores.credentials.get(id);
      if (known) return ok({ credential: known });
      const created = await stores.credentials.create({
        ...body,
        id: id ?? newId<CredentialId>('cred'),
        auth_type: 'api_key',
        secret: api_key,
      });
      if (!created.ok) return created;
      const tested = await providers.testCredential(created.value.id);
      const credential = tested.ok ? tested.value.credential : created.value;
      await stores.audit.write(
        auditOf(context, 'credential.create', credential.id, { after: shown(credential) }),
      );
      providers.credentialsChanged();
      return ok({ credential });
    },

    testCredential: async ({ params: { id } }) => {
      if (!(await stores.credentials.get(id))) return noCredential(id);
      return providers.testCredential(id);
    },

    deleteCredential: async ({ params: { id } }, context) => {
      const known = await stores.credentials.get(id);
      if (!known || !(await stores.credentials.delete(id))) return noCredential(id);
      await stores.audit.write(auditOf(context, 'credential.delete', id, { before: shown(known) }));
      providers.credentialsChanged();
      return ok(undefined);
    },
  };
};
