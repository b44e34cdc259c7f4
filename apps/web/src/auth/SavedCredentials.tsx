import type { Credential, CredentialId, ProviderFacts } from '@maestro/protocol';
import { useCredentials } from '../live/facts.ts';
import { failureOf } from '../live/maestro.ts';
import { useNow } from '../ui/clock.ts';
import { CredentialRow } from './CredentialRow.tsx';

/** The keys and logins in the vault with their states, live. */
export function SavedCredentials(props: {
  providers: readonly ProviderFacts[];
  /** The one a link led to. */
  wanted: CredentialId | undefined;
  onLogin: (credential: Credential) => void;
}) {
  const saved = useCredentials();
  const now = useNow(5_000);
  const list = saved.data ?? [];
  return (
    <section aria-labelledby="saved-title">
      <h2 id="saved-title">Saved credentials</h2>
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
                  provider={props.providers.find((one) => one.id === credential.provider)}
                  now={now}
                  wanted={props.wanted === credential.id}
                  onLogin={() => props.onLogin(credential)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
