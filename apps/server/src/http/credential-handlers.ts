import { fail, ok } from '@maestro/ports';
import { type Credential, type CredentialId, type Json, newId } from '@maestro/protocol';
import type { ServerDeps } from '../deps.ts';
import { auditOf } from './audit-event.ts';
import type { Handlers } from './handler.ts';

const noCredential = (id: CredentialId) =>
  fail('not_found', `There is no credential "${id}". GET /api/v1/credentials lists them.`, {
    field: 'params.id',
  });

const shown = ({ id, provider, name, last4, state, is_default, is_enabled, profile }: Credential): Json => ({
  id,
  provider,
  name,
  last4,
  state,
  is_default,
  is_enabled,
  profile,
});

export const credentialHandlers = ({
  providers,
  stores,
  credentials,
  logins,
}: ServerDeps): Pick<
  Handlers,
  | 'providers'
  | 'credentials'
  | 'createCredential'
  | 'patchCredential'
  | 'testCredential'
  | 'refreshCredential'
  | 'deleteCredential'
> => ({
  providers: async ({ query }) => ok({ providers: await providers.list(query.refresh) }),
  credentials: async () => ok({ credentials: await credentials.list() }),

  createCredential: async ({ body: { id, api_key, is_default, ...body } }, context) => {
    const known = id === undefined ? undefined : await stores.credentials.get(id);
    if (known)
      return ok({
        credential: credentials.of(known),
        ok: known.state === 'valid',
        message: known.detail ?? 'It was saved before.',
      });
    const unknown = credentials.unknownProfile({ ...body, auth_type: 'api_key' });
    if (unknown) return unknown;
    // Not before a real call: a key that is refused, or could not be tried, displaces none that works.
    const created = await stores.credentials.create({
      ...body,
      id: id ?? newId<CredentialId>('cred'),
      auth_type: 'api_key',
      secret: api_key,
      is_default: false,
    });
    if (!created.ok) return created;
    const tested = await providers.testCredential(created.value.id);
    const works = tested.ok && tested.value.ok;
    const patched =
      works && is_default
        ? await stores.credentials.patch(created.value.id, { is_default: true })
        : undefined;
    const credential =
      (patched?.ok ? patched.value : undefined) ?? (tested.ok ? tested.value.credential : created.value);
    await stores.audit.write(
      auditOf(context, 'credential.create', credential.id, { after: shown(credential) }),
    );
    providers.credentialsChanged();
    const message = tested.ok ? tested.value.message : tested.error.message;
    return ok({ credential: credentials.of(credential), ok: works, message });
  },

  patchCredential: async ({ params: { id }, body }, context) => {
    const before = await stores.credentials.get(id);
    if (!before) return noCredential(id);
    const { name, is_default, is_enabled, profile } = body;
    const unknown = profile === undefined ? undefined : credentials.unknownProfile({ ...before, profile });
    if (unknown) return unknown;
    const patched = await stores.credentials.patch(id, {
      ...(name === undefined ? {} : { name }),
      ...(is_default === undefined ? {} : { is_default }),
      ...(is_enabled === undefined ? {} : { is_enabled }),
      ...(profile === undefined ? {} : { profile }),
    });
    if (!patched.ok) return patched;
    if (!patched.value) return noCredential(id);
    if (is_enabled) await logins.plan(id);
    await stores.audit.write(
      auditOf(context, 'credential.change', id, { before: shown(before), after: shown(patched.value) }),
    );
    providers.credentialsChanged();
    return ok({ credential: credentials.of(patched.value) });
  },

  testCredential: async ({ params: { id } }) => {
    if (!(await stores.credentials.get(id))) return noCredential(id);
    const tested = await providers.testCredential(id);
    if (!tested.ok) return tested;
    return ok({ ...tested.value, credential: credentials.of(tested.value.credential) });
  },

  refreshCredential: async ({ params: { id } }) => {
    const refreshed = await logins.refresh(id);
    if (!refreshed.ok) return refreshed;
    return ok({ ...refreshed.value, credential: credentials.of(refreshed.value.credential) });
  },

  deleteCredential: async ({ params: { id }, query: { revoke } }, context) => {
    const known = await stores.credentials.get(id);
    if (!known) return noCredential(id);
    const deleted = await logins.delete(id, revoke, async () => {
      providers.credentialsChanged();
      await stores.audit.write(auditOf(context, 'credential.delete', id, { before: shown(known) }));
    });
    if (!deleted) return noCredential(id);
    if (deleted.revoked !== null)
      await stores.audit.write({
        ...auditOf(context, 'credential.revoke', id, {}),
        outcome: deleted.revoked ? 'ok' : 'failed',
        detail: deleted.message,
      });
    return ok(deleted);
  },
});
