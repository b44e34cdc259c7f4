import { type CredentialId, newId, type ProviderFacts, type ProviderId } from '@maestro/protocol';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { useCredentials } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { Field } from '../ui/Field.tsx';

/** What another part of the page asks the form for; `at` makes each asking new. */
export interface Wanted {
  readonly provider: ProviderId;
  /** A known compatible service. */
  readonly service?: string | undefined;
  readonly at: number;
}

type Errors = Readonly<Record<string, string>>;
const elsewhere = '';

/** Saves a key after one real call with it. A refused key is not saved, and stays typed. */
export function AddKey({
  providers,
  wanted,
}: {
  providers: readonly ProviderFacts[];
  wanted: Wanted | null;
}) {
  const takers = providers.filter((one) => one.auth_types.includes('api_key'));
  const saved = useCredentials().data ?? [];
  const prefix = useId();
  const box = useRef<HTMLInputElement>(null);
  const [providerId, setProviderId] = useState<ProviderId>(
    () => takers.find((one) => one.state === 'needs_key')?.id ?? takers[0]?.id ?? 'anthropic',
  );
  const [service, setService] = useState(elsewhere);
  const [name, setName] = useState('');
  const [key, setKey] = useState('');
  const [shown, setShown] = useState(false);
  const [first, setFirst] = useState(true);
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [outcome, setOutcome] = useState<{ level: 'ok' | 'warn'; text: string } | null>(null);
  const services = (takers.find((one) => one.id === providerId)?.presets ?? []).filter((one) => !one.local);
  const chosen = services.find((one) => one.id === service);
  const others = saved.filter((one) => one.provider === providerId && one.auth_type === 'api_key');

  useEffect(() => {
    if (!wanted) return;
    setProviderId(wanted.provider);
    setService(wanted.service ?? elsewhere);
    setErrors({});
    setOutcome(null);
    box.current?.focus();
  }, [wanted]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setOutcome(null);
    const missing: Errors = key.trim() === '' ? { api_key: 'Paste the key here.' } : {};
    setErrors(missing);
    if (Object.keys(missing).length > 0) return box.current?.focus();
    setBusy(true);
    const result = await save({
      provider: providerId,
      name: chosen?.id ?? (name.trim() === '' ? 'default' : name.trim()),
      api_key: key.trim(),
      is_default: others.length === 0 || first,
    });
    setBusy(false);
    if (result.type === 'failed') setErrors({ [result.field]: result.message });
    else if (result.type === 'refused')
      setErrors({
        api_key: `${result.text} It was not saved.`,
      });
    else {
      setKey('');
      setName('');
      setOutcome(result);
    }
    box.current?.focus();
  };

  const general = Object.entries(errors).find(([field]) => !['api_key', 'name', 'provider'].includes(field));
  return (
    <form className="add-key" onSubmit={(event) => void submit(event)} noValidate autoComplete="off">
      <Field id={`${prefix}provider`} label="Provider" error={errors['provider']}>
        {(field) => (
          <select
            {...field}
            className="select"
            value={providerId}
            onChange={(event) => {
              setProviderId(event.target.value as ProviderId);
              setService(elsewhere);
              setErrors({});
              setOutcome(null);
            }}
          >
            {takers.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {services.length > 0 && (
        <Field
          id={`${prefix}service`}
          label="Service"
          hint={chosen ? `The key is given to ${chosen.base_url} only.` : undefined}
          error={chosen ? errors['name'] : undefined}
        >
          {(field) => (
            <select
              {...field}
              className="select"
              value={service}
              onChange={(event) => setService(event.target.value)}
            >
              <option value={elsewhere}>Another, by its base URL</option>
              {services.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {!chosen && (
        <Field
          id={`${prefix}name`}
          label="Name (optional)"
          error={errors['name']}
          hint="To tell several keys of one provider apart."
        >
          {(field) => (
            <input
              {...field}
              className="input"
              maxLength={100}
              placeholder="default"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field
        id={`${prefix}key`}
        label="Key"
        error={errors['api_key']}
        hint="It is tried with one real call before it is called valid."
      >
        {(field) => (
          <div className="key-box">
            <input
              {...field}
              ref={box}
              className="input mono"
              type={shown ? 'text' : 'password'}
              autoComplete="off"
              spellCheck={false}
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
            <button
              type="button"
              className="button"
              aria-pressed={shown}
              aria-label="Show the key"
              onClick={() => setShown(!shown)}
            >
              {shown ? 'Hide' : 'Show'}
            </button>
          </div>
        )}
      </Field>
      {others.length > 0 && !chosen && (
        <label className="check">
          <input type="checkbox" checked={first} onChange={(event) => setFirst(event.target.checked)} />
          Use it from now on, before “{(others.find((one) => one.is_default) ?? others[0])?.name}”
        </label>
      )}
      {general && (
        <p className="banner error" role="alert">
          {general[1]}
        </p>
      )}
      <button type="submit" className="button primary" disabled={busy}>
        {busy ? 'Trying the key…' : 'Save and test'}
      </button>
      <p className={outcome ? `banner ${outcome.level}` : 'visually-hidden'} role="status">
        {outcome?.text}
      </p>
    </form>
  );
}

type Saved =
  | { type: 'saved'; level: 'ok' | 'warn'; text: string }
  | { type: 'refused'; text: string }
  | { type: 'failed'; field: string; message: string };

interface NewKey {
  readonly provider: ProviderId;
  readonly name: string;
  readonly api_key: string;
  /** Once it was found valid. */
  readonly is_default: boolean;
}

/** The server tries the key before it puts it before another. One that its provider refuses is taken out again. */
const save = async (body: NewKey): Promise<Saved> => {
  try {
    const { credential, ok, message } = await client.createCredential({
      body: { ...body, id: newId<CredentialId>('cred') },
    });
    if (ok)
      return { type: 'saved', level: 'ok', text: `“${credential.name}” works and is saved. ${message}` };
    if (credential.state !== 'refused')
      return { type: 'saved', level: 'warn', text: `Saved, but not tried yet. ${message}` };
    await client.deleteCredential({ params: { id: credential.id }, query: {} });
    return { type: 'refused', text: message };
  } catch (error) {
    const { field = '', message } = failureOf(error);
    return { type: 'failed', field, message };
  }
};
