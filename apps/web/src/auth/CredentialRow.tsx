import type { Credential, ProviderFacts } from '@maestro/protocol';
import { useEffect, useId, useRef, useState } from 'react';
import { needsLogin, providerName } from '../live/facts.ts';
import { failureOf } from '../live/maestro.ts';
import { Icon } from '../ui/icons.tsx';
import { later } from '../ui/later.tsx';
import { Time } from '../ui/Time.tsx';
import { authTypes } from '../ui/words.ts';
import { CredentialActions, type Outcome, testCredential } from './CredentialActions.tsx';
import { credentialState, whoseCredential } from './credential-words.ts';

const EditCredential = later(() => import('./EditCredential.tsx'));

const columns = 7;

/** One saved credential: a line, why it is in its state and how its last test ended below it, and all its actions on demand. */
export function CredentialRow(props: {
  credential: Credential;
  provider: ProviderFacts | undefined;
  now: number;
  /** A link led here: it is shown opened, and has the focus. */
  wanted: boolean;
  onLogin: () => void;
  onDelete: () => void;
}) {
  const { credential, now, wanted } = props;
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const [open, setOpen] = useState(wanted);
  const [editing, setEditing] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const more = useId();
  const provider = props.provider?.name ?? providerName(credential.provider);
  const called = `${provider}, ${credential.name}`;
  const state = credentialState(credential);
  const over = needsLogin(credential);

  useEffect(() => {
    if (!wanted) return;
    setOpen(true);
    first.current?.focus();
  }, [wanted]);

  const run = async (what: string, act: () => Promise<Outcome | null>): Promise<void> => {
    setBusy(what);
    setOutcome(null);
    try {
      setOutcome(await act());
    } catch (error) {
      setOutcome({ ok: false, text: failureOf(error).message });
    }
    setBusy(null);
  };

  const detail = credential.is_enabled ? credential.detail : null;
  return (
    <>
      <tr className={`credential${wanted ? ' wanted' : ''}${detail || outcome || open ? ' with-note' : ''}`}>
        <th scope="row">
          <span className="wrap">{credential.name}</span>
          {credential.is_default && <span className="tag">default</span>}
          <span className="credential-who wrap">
            {authTypes[credential.auth_type]} ·{' '}
            <span className={credential.auth_type === 'oauth' ? '' : 'mono'}>
              {whoseCredential(credential)}
            </span>
          </span>
        </th>
        <td>{provider}</td>
        <td>
          <span className={`mark ${state.mark}`}>
            <span className="mark-shape" aria-hidden="true" />
            {state.name}
          </span>
        </td>
        <td>
          {credential.expires_at ? (
            <Time at={credential.expires_at} now={now} kind="toward" />
          ) : (
            <span className="muted">never</span>
          )}
        </td>
        <td>
          {credential.last_used_at ? (
            <Time at={credential.last_used_at} now={now} kind="ago" />
          ) : (
            <span className="muted">never</span>
          )}
        </td>
        <td className="mono profile">{credential.profile_in_force ?? ''}</td>
        <td className="row-buttons">
          <div className="row-line">
            {over ? (
              <button
                ref={first}
                type="button"
                className="button small primary"
                aria-label={`Log in again: ${called}`}
                onClick={props.onLogin}
              >
                Log in again
              </button>
            ) : (
              <button
                ref={first}
                type="button"
                className="button small"
                aria-label={`${busy === 'test' ? 'Testing…' : 'Test'} ${called}`}
                disabled={busy !== null}
                onClick={() => void run('test', () => testCredential(credential))}
              >
                {busy === 'test' ? 'Testing…' : 'Test'}
              </button>
            )}
            <button
              type="button"
              className={`button small quiet icon more${open ? ' open' : ''}`}
              aria-label={`More of ${called}`}
              aria-expanded={open}
              aria-controls={open ? more : undefined}
              onClick={() => setOpen(!open)}
            >
              <Icon name="chevron" />
            </button>
          </div>
          {editing && (
            <EditCredential credential={credential} called={called} onClose={() => setEditing(false)} />
          )}
        </td>
      </tr>
      {(detail || outcome) && (
        <tr className={`table-note${open ? ' with-note' : ''}`}>
          <td colSpan={columns}>
            {detail && detail !== outcome?.text && (
              <p className={over ? 'hint warn' : 'field-error'}>{detail}</p>
            )}
            <p role="status" className={outcome ? (outcome.ok ? 'good' : 'field-error') : ''}>
              {outcome?.text}
            </p>
          </td>
        </tr>
      )}
      {open && (
        <tr className="table-note" id={more}>
          <td colSpan={columns}>
            <CredentialActions
              credential={credential}
              called={called}
              busy={busy}
              run={run}
              onLogin={props.onLogin}
              onEdit={() => setEditing(true)}
              onDelete={props.onDelete}
            />
          </td>
        </tr>
      )}
    </>
  );
}
