import { useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useProviders } from '../live/facts.ts';
import { failureOf } from '../live/maestro.ts';
import { AddKey, type Wanted } from './AddKey.tsx';
import { Providers } from './Providers.tsx';
import { SavedKeys } from './SavedKeys.tsx';
import './auth.css';

const ask_again_ms = 1500;

/** `/auth`: who can answer, with which credential, the saved keys, and the form for another. */
export function AuthPage() {
  const search = useSearch({ from: '/auth' });
  const providers = useProviders();
  const [wanted, setWanted] = useState<Wanted | null>(
    search.provider ? { provider: search.provider, at: 0 } : null,
  );
  // A change of keys makes the server forget what it knew of a provider; the page asks until it is known again.
  const { data, dataUpdatedAt, refetch } = providers;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again after an answer that changed nothing, too
  useEffect(() => {
    if (!data?.some((provider) => provider.profile === '')) return;
    const timer = setTimeout(() => void refetch(), ask_again_ms);
    return () => clearTimeout(timer);
  }, [data, dataUpdatedAt, refetch]);
  return (
    <div className="auth">
      <div className="auth-main">
        <h1>Keys</h1>
        <p className="muted auth-lead">
          A saved key is kept encrypted on this machine and comes before one from the environment. Nobody sees
          more of it again than its last four characters.
        </p>
        <SavedKeys providers={providers.data ?? []} />
        <section aria-labelledby="providers-title">
          <h2 id="providers-title">Providers</h2>
          {providers.isPending && <p className="muted">Asking the providers…</p>}
          {providers.isError && (
            <p className="banner error" role="alert">
              The providers cannot be listed: {failureOf(providers.error).message}
            </p>
          )}
          <Providers
            providers={providers.data ?? []}
            onAdd={(provider, service) => setWanted({ provider, service, at: Date.now() })}
          />
        </section>
      </div>
      <aside className="auth-add" aria-labelledby="add-title">
        <h2 id="add-title">Add a key</h2>
        {providers.data && <AddKey providers={providers.data} wanted={wanted} />}
      </aside>
    </div>
  );
}
