import type { Credential, CredentialId, ProviderFacts } from '@maestro/protocol';
import { useEffect, useRef, useState } from 'react';
import { providerName, useCredentials } from '../live/facts.ts';
import { useLogins } from '../live/logins.ts';
import { failureOf } from '../live/maestro.ts';
import { useNow } from '../ui/clock.ts';
import { later } from '../ui/later.tsx';
import { CredentialRow } from './CredentialRow.tsx';

const DeleteCredential = later(() => import('./DeleteCredential.tsx'));

/** The keys and logins in the vault with their states, live. */
export function SavedCredentials(props: {
  providers: readonly ProviderFacts[];
  /** The one a link led to. */
  wanted: CredentialId | undefined;
  onLogin: (credential: Credential) => void;
}) {
  const saved = useCredentials();
  const now = useNow(5_000);
  const logins = useLogins().data?.providers ?? [];
  const [deleting, setDeleting] = useState<Credential | null>(null);
  const [deleted, setDeleted] = useState<{ name: string; text: string; ok: boolean } | null>(null);
  const outcome = useRef<HTMLParagraphElement>(null);
  const list = saved.data ?? [];
  const providerOf = ({ provider }: Credential) => props.providers.find((one) => one.id === provider);

  // The button that led here is gone with its row.
  useEffect(() => {
    if (deleted) outcome.current?.focus();
  }, [deleted]);
  return (
    <section aria-labelledby="saved-title">
      <h2 id="saved-title">Saved credentials</h2>
      {deleted && (
        <p ref={outcome} tabIndex={-1} className={`banner ${deleted.ok ? 'ok' : 'warn'}`} role="status">
          {deleted.name}: {deleted.text}
        </p>
      )}
      {saved.isPending && <p className="muted">Loading…</p>}
      {saved.isError && (
        <p className="banner error" role="alert">
          The saved credentials cannot be listed: {failureOf(saved.error).message}
        </p>
      )}
      {saved.isSuccess && list.length === 0 && (
        <p className="muted">None yet. Keys in the environment work without being saved.</p>
      )}
      {list.length > 0 && (
        <div className="table-place">
          <table className="table credentials">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Provider</th>
                <th scope="col">State</th>
                <th scope="col">Expires</th>
                <th scope="col">Last used</th>
                <th scope="col" className="profile">
                  Header profile
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((credential) => (
                <CredentialRow
                  key={credential.id}
                  credential={credential}
                  provider={providerOf(credential)}
                  now={now}
                  wanted={props.wanted === credential.id}
                  onLogin={() => props.onLogin(credential)}
                  onDelete={() => {
                    setDeleted(null);
                    setDeleting(credential);
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {deleting && (
        <DeleteCredential
          credential={deleting}
          provider={providerOf(deleting)?.name ?? providerName(deleting.provider)}
          facts={logins.find((one) => one.provider === deleting.provider)}
          onClose={(what) => {
            setDeleting(null);
            if (what) setDeleted({ name: deleting.name, ...what });
          }}
        />
      )}
    </section>
  );
}
