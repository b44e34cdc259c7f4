import type { Credential, FlowId, ProviderId } from '@maestro/protocol';
import { useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useCredentials, useProviders } from '../live/facts.ts';
import { useLogins } from '../live/logins.ts';
import { client, failureOf } from '../live/maestro.ts';
import { takeNews } from '../live/queries.ts';
import { AddKey, type Wanted } from './AddKey.tsx';
import { Logins } from './Logins.tsx';
import { Providers } from './Providers.tsx';
import { SavedCredentials } from './SavedCredentials.tsx';
import './auth.css';
import { later, useCalm } from '../ui/later.tsx';

const StartLogin = later(() => import('./StartLogin.tsx'));

const ask_again_ms = 1500;

/** `/auth`: the saved keys and logins, the logins under way, every provider with its state, and the ways to add a credential. */
export function AuthPage() {
  useCalm();
  const search = useSearch({ from: '/auth' });
  const providers = useProviders();
  const logins = useLogins().data?.providers ?? [];
  const saved = useCredentials().data ?? [];
  const [wanted, setWanted] = useState<Wanted | null>(
    search.provider && !search.login && !search.credential
      ? { provider: search.provider, service: search.service, at: 0 }
      : null,
  );
  const [login, setLogin] = useState<{
    provider: ProviderId;
    credential?: Credential['id'] | undefined;
  } | null>(search.provider && search.login ? { provider: search.provider } : null);
  const [begun, setBegun] = useState<FlowId | null>(null);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const facts = login && logins.find((one) => one.provider === login.provider);

  // A change of credentials makes the server forget what it knew of a provider; the page asks until it is known again.
  const { data, dataUpdatedAt, refetch } = providers;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again after an answer that changed nothing, too
  useEffect(() => {
    if (!data?.some((provider) => provider.state === 'unknown' && provider.profile === '')) return;
    const timer = setTimeout(() => void refetch(), ask_again_ms);
    return () => clearTimeout(timer);
  }, [data, dataUpdatedAt, refetch]);

  const begin = (provider: ProviderId, credential?: Credential): void =>
    setLogin({ provider, credential: credential?.id });
  const askAgain = async (): Promise<void> => {
    setAsking(true);
    setProblem(null);
    try {
      const { providers: now } = await client.providers({ query: { refresh: 'true' } });
      takeNews(['providers'], now);
    } catch (error) {
      setProblem(failureOf(error).message);
    }
    setAsking(false);
  };

  return (
    <div className="auth">
      <div className="auth-main">
        <h1>Keys & accounts</h1>
        <p className="muted auth-lead">
          What is saved here is kept encrypted on this machine and comes before a key from the environment.
          Nobody sees more of a key again than its last four characters.
        </p>
        <Logins begun={begun} onAgain={begin} />
        <SavedCredentials
          providers={providers.data ?? []}
          wanted={search.credential}
          onLogin={(credential) => begin(credential.provider, credential)}
        />
        <section aria-labelledby="providers-title">
          <div className="section-head">
            <h2 id="providers-title">Providers</h2>
            <button
              type="button"
              className="button small quiet"
              disabled={asking}
              onClick={() => void askAgain()}
            >
              {asking ? 'Asking…' : 'Ask all again'}
            </button>
          </div>
          {providers.isPending && <p className="muted">Asking the providers…</p>}
          {(problem ?? providers.error) && (
            <p className="banner error" role="alert">
              The providers cannot be asked: {problem ?? failureOf(providers.error).message}
            </p>
          )}
          <Providers
            providers={providers.data ?? []}
            logins={logins}
            onAdd={(provider, service) => setWanted({ provider, service, at: Date.now() })}
            onLogin={begin}
          />
        </section>
      </div>
      <aside className="auth-add" aria-label="Add a credential">
        <section aria-labelledby="add-title">
          <h2 id="add-title">Add a key</h2>
          {providers.data && <AddKey providers={providers.data} wanted={wanted} />}
        </section>
        {logins.length > 0 && (
          <section aria-labelledby="login-title">
            <h2 id="login-title">Log in with an account</h2>
            <ul className="vendors">
              {logins.map((one) => (
                <li key={one.provider}>
                  <span>{one.name}</span>
                  <button
                    type="button"
                    className="button small"
                    aria-label={`Log in with your ${one.name}`}
                    onClick={() => begin(one.provider)}
                  >
                    Log in
                  </button>
                  {one.missing && <span className="hint">Needs a setting first</span>}
                </li>
              ))}
            </ul>
          </section>
        )}
      </aside>
      {facts && (
        <StartLogin
          facts={facts}
          credential={saved.find((one) => one.id === login.credential)}
          onClose={(flow) => {
            setLogin(null);
            if (flow) setBegun(flow.id);
          }}
        />
      )}
    </div>
  );
}
