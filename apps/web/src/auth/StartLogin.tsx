import type { Credential, LoginFacts, LoginFlow, LoginMethod } from '@maestro/protocol';
import { type FormEvent, useId, useRef, useState } from 'react';
import { askLogins, knowFlow } from '../live/logins.ts';
import { client, failureOf } from '../live/maestro.ts';
import { Field } from '../ui/Field.tsx';
import Modal from '../ui/Modal.tsx';
import { loginMemory } from './login-memory.ts';
import { loginMethods } from './login-words.ts';

/** What a login needs before it begins: the vendor's terms taken note of, a way back, and a name. */
export default function StartLogin(props: {
  facts: LoginFacts;
  /** Logs in to this one again instead of making another. */
  credential: Credential | undefined;
  onClose: (begun: LoginFlow | null) => void;
}) {
  const { facts, credential } = props;
  const prefix = useId();
  /** The focus goes on to the login, not back. */
  const begun = useRef(false);
  const [method, setMethod] = useState<LoginMethod | undefined>(facts.methods[0]);
  const [name, setName] = useState('');
  const [agreed, setAgreed] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ message: string; field?: string } | null>(null);
  const known = ['acknowledge_terms', 'name'];
  const errorAt = (field: string): string | undefined =>
    problem?.field === field ? problem.message : undefined;

  const start = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (facts.acknowledged_at === null && !agreed)
      return setProblem({
        field: 'acknowledge_terms',
        message: 'Read the notice and tick this box; then the login can begin.',
      });
    setBusy(true);
    setProblem(null);
    try {
      const { flow } = await client.startLogin({
        params: { provider: facts.provider },
        body: {
          method,
          acknowledge_terms: agreed || facts.acknowledged_at !== null,
          ...(credential ? { credential_id: credential.id } : name.trim() !== '' && { name: name.trim() }),
        },
      });
      if (credential) loginMemory.renews.set(flow.id, credential.id);
      begun.current = true;
      knowFlow(flow);
      void askLogins();
      props.onClose(flow);
    } catch (error) {
      setProblem(failureOf(error));
      setBusy(false);
    }
  };

  return (
    <Modal
      title={
        credential
          ? `Log in again with your ${facts.name}: ${credential.name}`
          : `Log in with your ${facts.name}`
      }
      returnsFocus={() => !begun.current}
      onClose={() => props.onClose(null)}
    >
      <form className="form-rows" onSubmit={(event) => void start(event)} noValidate autoComplete="off">
        {facts.missing && (
          <p className="banner warn" role="alert">
            {facts.missing}
          </p>
        )}
        <div className="banner terms">
          <p>{facts.terms.text}</p>
          <p>
            <a href={facts.terms.url} target="_blank" rel="noopener noreferrer">
              Read the vendor’s terms
            </a>
          </p>
        </div>
        {facts.acknowledged_at === null && (
          <div className="field">
            <label className="check ink">
              <input
                type="checkbox"
                checked={agreed}
                aria-invalid={errorAt('acknowledge_terms') ? true : undefined}
                aria-describedby={errorAt('acknowledge_terms') ? `${prefix}terms-error` : undefined}
                onChange={(event) => setAgreed(event.target.checked)}
              />
              I have read this and log in on my own account.
            </label>
            {errorAt('acknowledge_terms') && (
              <p className="field-error" id={`${prefix}terms-error`} role="alert">
                {errorAt('acknowledge_terms')}
              </p>
            )}
          </div>
        )}
        {facts.methods.length > 1 && (
          <fieldset className="methods">
            <legend className="field-label">How</legend>
            {facts.methods.map((one, index) => (
              <label key={one} className="method">
                <input
                  type="radio"
                  name={`${prefix}method`}
                  checked={method === one}
                  onChange={() => setMethod(one)}
                />
                <span>
                  {loginMethods[one].name}
                  {index === 0 && <span className="tag">best</span>}
                  <span className="hint">{loginMethods[one].explanation}</span>
                </span>
              </label>
            ))}
          </fieldset>
        )}
        {!credential && (
          <Field
            id={`${prefix}name`}
            label="Name (optional)"
            error={errorAt('name')}
            hint="To tell several accounts of one provider apart."
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
        {problem && !known.includes(problem.field ?? '') && (
          <p className="banner error" role="alert">
            {problem.message}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => props.onClose(null)}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={busy || facts.missing !== null}>
            {busy ? 'Starting…' : 'Start the login'}
          </button>
        </div>
      </form>
    </Modal>
  );
}
