import type { Credential, LoginFlow } from '@maestro/protocol';
import { useEffect, useRef, useState } from 'react';
import { knowFlow } from '../live/logins.ts';
import { client, failureOf } from '../live/maestro.ts';
import { CopyButton } from '../ui/CopyButton.tsx';
import { useNow } from '../ui/clock.ts';
import { LoginAnswer } from './LoginAnswer.tsx';
import { isUnderWay } from './login-memory.ts';
import { loginStates, stateAt, timeLeft } from './login-words.ts';

/** One login: where to go, what to bring back, and how far it is. */
export function LoginPanel(props: {
  flow: LoginFlow;
  /** The vendor. */
  name: string;
  /** The vendor and what the login is or will be called, as no other here. */
  called: string;
  credential: Credential | undefined;
  focused: boolean;
  onAgain: () => void;
  onDismiss: () => void;
}) {
  const { flow, name, called, credential, focused } = props;
  const now = useNow(1000, isUnderWay(flow));
  const state = stateAt(flow, now);
  const { name: stateName, mark } = loginStates[state];
  const [problem, setProblem] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const link = useRef<HTMLAnchorElement>(null);

  useEffect(() => {
    if (focused) link.current?.focus();
  }, [focused]);

  const cancel = async (): Promise<void> => {
    try {
      await client.cancelLogin({ params: { flow_id: flow.id } });
      knowFlow({ ...flow, state: 'cancelled' });
    } catch (error) {
      setProblem(failureOf(error).message);
    }
  };

  return (
    <li className="provider login">
      <div className="provider-top">
        <h3 ref={heading} tabIndex={-1}>
          {name}
          <span className="muted">{called.slice(name.length)}</span>
        </h3>
        <span className={`mark ${mark}`} role="status">
          <span className="mark-shape" aria-hidden="true" />
          {stateName}
        </span>
        {state === 'waiting' && <span className="hint">{timeLeft(flow, now)}</span>}
        {isUnderWay(flow) && state !== 'expired' ? (
          <button
            type="button"
            className="button small quiet"
            aria-label={`Cancel the login with your ${called}`}
            onClick={() => void cancel()}
          >
            Cancel
          </button>
        ) : (
          <button
            type="button"
            className="button small quiet"
            aria-label={`Close the login with your ${called}`}
            onClick={props.onDismiss}
          >
            Close
          </button>
        )}
      </div>
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      {(state === 'waiting' || state === 'exchanging') && (
        <ol className="login-steps">
          <li>
            <div className="login-step">
              <p>Log in on the vendor’s page.</p>
              <div className="login-line">
                <a
                  ref={link}
                  className="button primary small"
                  href={flow.url}
                  target="_blank"
                  rel="noopener noreferrer"
                  aria-label={`Open the page to log in with your ${called}`}
                >
                  Open the page
                </a>
                <input
                  className="input mono login-url"
                  readOnly
                  aria-label={`Address to log in with your ${called}`}
                  value={flow.url}
                  onFocus={(event) => event.target.select()}
                />
                <CopyButton
                  label={`Copy the address of the login with your ${called}`}
                  text={() => flow.url}
                />
              </div>
            </div>
          </li>
          {flow.method === 'device' ? (
            <li>
              <div className="login-step">
                <p>Type this code there. The rest happens by itself.</p>
                <div className="login-line">
                  <strong className="user-code mono">{flow.user_code}</strong>
                  <CopyButton
                    label={`Copy the code of the login with your ${called}`}
                    text={() => flow.user_code ?? ''}
                  />
                </div>
                {flow.message && <p className="field-error">{flow.message}</p>}
              </div>
            </li>
          ) : (
            <li>
              <div className="login-step">
                {flow.method === 'callback' && (
                  <p>Your browser is sent back by itself when you have done so.</p>
                )}
                <LoginAnswer
                  flow={flow}
                  called={called}
                  method={flow.method}
                  onTaken={() => heading.current?.focus()}
                />
              </div>
            </li>
          )}
        </ol>
      )}
      {state === 'done' && flow.message && <p className="hint warn">{flow.message}</p>}
      {state === 'done' && (
        <p className="good">
          {credential ? `“${credential.name}” is logged in` : 'Logged in'}
          {credential?.account ? ` as ${credential.account}.` : '.'}
        </p>
      )}
      {(state === 'failed' || state === 'expired') && (
        <>
          <p className="field-error">
            {flow.message ??
              (state === 'expired'
                ? 'The time for this login is over. Nothing was saved.'
                : 'The login failed. Nothing was saved.')}
          </p>
          <div>
            <button
              type="button"
              className="button small"
              aria-label={`Start again: the login with your ${called}`}
              onClick={props.onAgain}
            >
              Start again
            </button>
          </div>
        </>
      )}
    </li>
  );
}
