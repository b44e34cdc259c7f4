import type { LoginFacts, PresetFacts, ProviderFacts, ProviderId, ProviderState } from '@maestro/protocol';
import { credentialSource, providerState, providerStates } from '../ui/words.ts';

type Add = (provider: ProviderId, service?: string) => void;

/** Every provider: its state, where its credential comes from, the header profile in force, what to do. */
export function Providers(props: {
  providers: readonly ProviderFacts[];
  /** Vendors whose account can be used. */
  logins: readonly LoginFacts[];
  onAdd: Add;
  onLogin: (provider: ProviderId) => void;
}) {
  return (
    <ul className="providers">
      {props.providers.map((provider) => (
        <Provider
          key={provider.id}
          provider={provider}
          onAdd={props.onAdd}
          onLogin={
            props.logins.some((one) => one.provider === provider.id)
              ? () => props.onLogin(provider.id)
              : undefined
          }
        />
      ))}
    </ul>
  );
}

function Provider(props: { provider: ProviderFacts; onAdd: Add; onLogin: (() => void) | undefined }) {
  const { provider, onAdd, onLogin } = props;
  const takesKey = provider.auth_types.includes('api_key');
  const isProgram = !takesKey && !provider.auth_types.includes('none');
  return (
    <li className="provider">
      <div className="provider-top">
        <h3>{provider.name}</h3>
        <StateOf state={provider.state} />
        <div className="provider-buttons">
          {onLogin && (
            <button
              type="button"
              className="button small"
              aria-label={`Log in to use ${provider.name}`}
              onClick={onLogin}
            >
              Log in
            </button>
          )}
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
      </div>
      {provider.state !== 'ready' && <p className="hint">{providerState(provider)}</p>}
      <dl className="provider-facts">
        <div>
          <dt>Credential</dt>
          <dd>
            {provider.credential === null && provider.auth_types.includes('none')
              ? 'none needed'
              : isProgram && provider.credential === null
                ? 'its own login'
                : credentialSource(provider.credential)}
          </dd>
        </div>
        {!isProgram && (
          <>
            <div>
              <dt>Header profile</dt>
              <dd className="mono">{provider.profile || 'not known yet'}</dd>
            </div>
            <div>
              <dt>Address</dt>
              <dd className="mono wrap">{provider.base_url || 'given by the session'}</dd>
            </div>
          </>
        )}
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

function StateOf({ state }: { state: ProviderState }) {
  const { name, mark } = providerStates[state];
  return (
    <span className={`mark ${mark}`}>
      <span className="mark-shape" aria-hidden="true" />
      {name}
    </span>
  );
}
