import type { Credential, ProviderFacts } from '@maestro/protocol';
import { lazy, Suspense, useState } from 'react';
import { providerName, useCredentials } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { useNow } from '../ui/clock.ts';
import { ago } from '../ui/format.ts';

const DeleteDialog = lazy(() => import('../ui/DeleteDialog.tsx'));

/** The keys in the vault with their states, live. */
export function SavedKeys({ providers }: { providers: readonly ProviderFacts[] }) {
  const saved = useCredentials();
  const now = useNow(30_000);
  const list = saved.data ?? [];
  return (
    <section aria-labelledby="saved-title">
      <h2 id="saved-title">Saved keys</h2>
      {saved.isPending && <p className="muted">Loading…</p>}
      {saved.isError && (
        <p className="banner error" role="alert">
          The saved keys cannot be listed: {failureOf(saved.error).message}
        </p>
      )}
      {saved.isSuccess && list.length === 0 && (
        <p className="muted">None yet. Keys in the environment work without being saved.</p>
      )}
      {list.length > 0 && (
        <div className="table-place">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Provider</th>
                <th scope="col">Name</th>
                <th scope="col">Key</th>
                <th scope="col">State</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((credential) => (
                <SavedKey
                  key={credential.id}
                  credential={credential}
                  provider={providers.find((one) => one.id === credential.provider)}
                  now={now}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const states: Record<Credential['state'], { name: string; mark: string }> = {
  valid: { name: 'Valid', mark: 'ready' },
  unchecked: { name: 'Not tested', mark: 'idle' },
  refused: { name: 'Refused', mark: 'failed' },
  needs_login: { name: 'Needs a login', mark: 'waiting' },
};

function SavedKey(props: { credential: Credential; provider: ProviderFacts | undefined; now: number }) {
  const { credential, now } = props;
  const [tested, setTested] = useState<{ ok: boolean; text: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const provider = props.provider?.name ?? providerName(credential.provider);
  const called = `${provider}, ${credential.name}`;

  const test = async (): Promise<void> => {
    setBusy(true);
    try {
      const { ok, message } = await client.testCredential({ params: { id: credential.id } });
      setTested({ ok, text: message });
    } catch (error) {
      setTested({ ok: false, text: failureOf(error).message });
    }
    setBusy(false);
  };

  return (
    <>
      <tr>
        <td>{provider}</td>
        <th scope="row" className="wrap">
          {credential.name}
          {credential.is_default && <span className="tag">default</span>}
        </th>
        <td className="mono">{credential.last4 === '' ? 'hidden' : `…${credential.last4}`}</td>
        <td>
          <span className={`mark ${states[credential.state].mark}`}>
            <span className="mark-shape" aria-hidden="true" />
            {states[credential.state].name}
          </span>
        </td>
        <td>{credential.last_used_at ? ago(credential.last_used_at, now) : 'never'}</td>
        <td className="row-buttons">
          <button
            type="button"
            className="button small"
            aria-label={`Test ${called}`}
            disabled={busy}
            onClick={() => void test()}
          >
            {busy ? 'Testing…' : 'Test'}
          </button>
          <button
            type="button"
            className="button small quiet"
            aria-label={`Delete ${called}`}
            onClick={() => setDeleting(true)}
          >
            Delete
          </button>
          {deleting && (
            <Suspense fallback={null}>
              <DeleteDialog
                title={`Delete the key “${credential.name}” of ${provider}?`}
                act="Delete key"
                remove={() => client.deleteCredential({ params: { id: credential.id } })}
                onClose={() => setDeleting(false)}
              >
                It is removed from this machine, not revoked at the provider. Sessions that use it go on with
                the next saved key or the one from the environment; where there is none, their next turn fails
                and says so.
              </DeleteDialog>
            </Suspense>
          )}
        </td>
      </tr>
      {tested && (
        <tr className="table-note">
          <td colSpan={6} role="status">
            <span className={tested.ok ? 'good' : 'field-error'}>{tested.text}</span>
          </td>
        </tr>
      )}
    </>
  );
}
