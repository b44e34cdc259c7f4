import type { AuthType, ProviderFacts, ProviderId } from '@maestro/protocol';
import { useCredentials } from '../live/facts.ts';
import { Field } from '../ui/Field.tsx';
import { KeysLink } from '../ui/KeysLink.tsx';
import { ModelField } from '../ui/ModelField.tsx';
import { authTypes, providerChoice, providerState } from '../ui/words.ts';
import { AskAgain } from './AskAgain.tsx';
import { KnownServices } from './KnownServices.tsx';

/** Providers that are a protocol more than a vendor: many servers speak it. */
const takesAddress: ReadonlySet<ProviderId> = new Set(['compatible', 'openai_chat', 'ollama']);

/** Who answers in a session. */
export interface Answering {
  readonly provider: ProviderId;
  /** Empty: the best credential that is there. */
  readonly kind: AuthType | '';
  /** null: the provider's usual one, as long as none was chosen. */
  readonly model: string | null;
  readonly base_url: string;
}

/** A provider as it is first offered. */
export const answererOf = (provider: ProviderFacts | undefined): Answering => ({
  provider: provider?.id ?? 'anthropic',
  kind: '',
  model: null,
  base_url: '',
});

/** The model that answers as things are. */
export const modelOf = ({ provider, model }: Answering, providers: readonly ProviderFacts[]): string => {
  const facts = providers.find((one) => one.id === provider);
  return model ?? (facts?.default_model || facts?.models[0]?.id || '');
};

/** What the API is told of it. */
export const chosen = (answering: Answering, providers: readonly ProviderFacts[]) => {
  const { provider, kind, base_url } = answering;
  return {
    provider,
    model: modelOf(answering, providers).trim(),
    auth_type: kind === '' ? undefined : kind,
    base_url: takesAddress.has(provider) && base_url.trim() !== '' ? base_url.trim() : undefined,
  };
};

/** Provider, credential, service and model of a new session; what is not ready says so and leads to where it is mended. */
export function Answerer(props: {
  prefix: string;
  providers: readonly ProviderFacts[];
  value: Answering;
  onChange: (value: Answering) => void;
  errors: Readonly<Record<string, string>>;
}) {
  const { prefix, value, errors, onChange } = props;
  const provider = props.providers.find((one) => one.id === value.provider);
  const service = provider?.presets.find((one) => one.base_url === value.base_url);
  const models = service ? service.models.map((id) => ({ id, name: id })) : (provider?.models ?? []);
  const kinds = (provider?.auth_types ?? []).filter((one) => one === 'api_key' || one === 'oauth');
  const wanting = provider?.state === 'needs_key' || provider?.state === 'needs_login';

  return (
    <>
      <Field
        id={`${prefix}provider`}
        label="Provider"
        error={errors['provider']}
        hint={
          provider &&
          !service && (
            <>
              {providerState(provider)}{' '}
              {wanting && !provider.auth_types.includes('cli') ? (
                <KeysLink provider={provider.id} kind={value.kind || undefined} />
              ) : (
                provider.state !== 'ready' && <AskAgain />
              )}
            </>
          )
        }
        warn={provider?.state !== 'ready'}
      >
        {(field) => (
          <select
            {...field}
            className="select"
            value={value.provider}
            onChange={(event) =>
              onChange(answererOf(props.providers.find((one) => one.id === event.target.value)))
            }
          >
            {props.providers.map((one) => (
              <option key={one.id} value={one.id}>
                {providerChoice(one)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        id={`${prefix}model`}
        label={value.provider === 'acp' ? 'Agent' : 'Model'}
        error={errors['model']}
      >
        {(field) => (
          <ModelField
            key={`${value.provider} ${service?.id}`}
            {...field}
            models={models}
            value={modelOf(value, props.providers)}
            onChange={(model) => onChange({ ...value, model })}
          />
        )}
      </Field>
      {kinds.length > 1 && <Kind {...props} kinds={kinds} />}
      {provider && provider.presets.length > 0 && (
        <KnownServices
          services={provider.presets}
          chosen={service}
          onChoose={(one) =>
            onChange({ ...value, base_url: one?.base_url ?? '', model: one?.models[0] ?? '' })
          }
        />
      )}
      {takesAddress.has(value.provider) && (
        <div className="span">
          <Field
            id={`${prefix}address`}
            label="Address (optional)"
            error={errors['base_url']}
            hint="Another server that speaks the same protocol, for this session only."
          >
            {(field) => (
              <input
                {...field}
                className="input mono"
                type="url"
                spellCheck={false}
                value={value.base_url}
                placeholder={provider?.base_url}
                onChange={(event) => onChange({ ...value, base_url: event.target.value })}
              />
            )}
          </Field>
        </div>
      )}
    </>
  );
}

/** With an API key or with an account, where the provider takes both. */
function Kind(props: {
  prefix: string;
  kinds: readonly AuthType[];
  value: Answering;
  onChange: (value: Answering) => void;
  errors: Readonly<Record<string, string>>;
}) {
  const { value, onChange } = props;
  const account = (useCredentials().data ?? []).find(
    (one) => one.provider === value.provider && one.auth_type === 'oauth' && one.is_enabled,
  );
  const lacking = value.kind === 'oauth' && account?.state !== 'valid';
  return (
    <div className="span">
      <Field
        id={`${props.prefix}kind`}
        label="Credential"
        error={props.errors['auth_type']}
        warn={lacking}
        hint={
          lacking ? (
            <>
              {account ? 'The login to this account is over.' : 'No account is logged in.'}{' '}
              <KeysLink provider={value.provider} kind="oauth" />
            </>
          ) : (
            value.kind === 'oauth' && account && `${account.account ?? account.name}.`
          )
        }
      >
        {(field) => (
          <select
            {...field}
            className="select"
            value={value.kind}
            onChange={(event) => onChange({ ...value, kind: event.target.value as AuthType | '' })}
          >
            <option value="">Automatic: the first that is ready</option>
            {props.kinds.map((kind) => (
              <option key={kind} value={kind}>
                {authTypes[kind]}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}
