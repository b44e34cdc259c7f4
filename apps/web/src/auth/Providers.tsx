import type { PresetFacts, ProviderFacts, ProviderId, ProviderState } from '@maestro/protocol';
import { credentialSource, providerState } from '../ui/words.ts';

type Add = (provider: ProviderId, service?: string) => void;

/** Every provider: its state, where its credential comes from, the header profile in force, what to do. */
export function Providers({ providers, onAdd }: { providers: readonly ProviderFacts[]; onAdd: Add }) {
  return (
    <ul className="providers">
      {providers.map((provider) => (
        <Provider key={provider.id} provider={provider} onAdd={onAdd} />
      ))}
    </ul>
  );
}

function Provider({ provider, onAdd }: { provider: ProviderFacts; onAdd: Add }) {
  const takesKey = provider.auth_types.includes('api_key');
  return (
    <li className="provider">
      <div className="provider-top">
        <h3>{provider.name}</h3>
        <StateOf state={provider.state} />
        {takesKey && (
          <button
            type="button"
            className="button small"
            aria-label={`Add a key for ${provider.name}`}
            onClick={() => onAdd(provider.id)}
          >
            Add a key
          </button>
        )}
      </div>
      {provider.state !== 'ready' && <p className="hint">{providerState(provider)}</p>}
      <dl className="provider-facts">
        <div>
          <dt>Credential</dt>
          <dd>
            {provider.credential === null && provider.auth_types.includes('none')
              ? 'none needed'
              : credentialSource(provider.credential)}
          </dd>
        </div>
        <div>
          <dt>Header profile</dt>
          <dd className="mono">{provider.profile || 'not known yet'}</dd>
        </div>
        <div>
          <dt>Address</dt>
          <dd className="mono wrap">{provider.base_url || 'given by the session'}</dd>
        </div>
      </dl>
      {provider.presets.length > 0 && (
        <details className="services">
          <summary>{provider.presets.length} known services</summary>
          <ul>
            {provider.presets.map((service) => (
              <Service key={service.id} service={service} onAdd={() => onAdd(provider.id, service.id)} />
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function Service({ service, onAdd }: { service: PresetFacts; onAdd: () => void }) {
  return (
    <li className="service">
      <span className="service-name">{service.name}</span>
      <StateOf state={service.state} />
      <span className="hint wrap">
        {service.local
          ? (service.hint ?? service.base_url)
          : `Credential: ${credentialSource(service.credential)}`}
      </span>
      {!service.local && (
        <button
          type="button"
          className="button small quiet"
          aria-label={`Add a key for ${service.name}`}
          onClick={onAdd}
        >
          Add a key
        </button>
      )}
    </li>
  );
}

const states: Record<ProviderState, { name: string; mark: string }> = {
  ready: { name: 'Ready', mark: 'ready' },
  needs_key: { name: 'Needs a key', mark: 'waiting' },
  unreachable: { name: 'Does not answer', mark: 'failed' },
  unknown: { name: 'Not asked yet', mark: 'idle' },
};

function StateOf({ state }: { state: ProviderState }) {
  return (
    <span className={`mark ${states[state].mark}`}>
      <span className="mark-shape" aria-hidden="true" />
      {states[state].name}
    </span>
  );
}
