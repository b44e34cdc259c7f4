import type { LoginFlow } from '@maestro/protocol';
import { type FormEvent, useRef, useState } from 'react';
import { knowFlow } from '../live/logins.ts';
import { client, failureOf } from '../live/maestro.ts';
import { Field } from '../ui/Field.tsx';
import { loginMemory } from './login-memory.ts';
import { answerWords } from './login-words.ts';

/** Takes what the vendor gave: a code, `code#state` or the whole address. What is refused stays typed. */
export function LoginAnswer(props: {
  flow: LoginFlow;
  called: string;
  method: 'callback' | 'paste';
  onTaken: () => void;
}) {
  const { flow, called } = props;
  const [typed, setTyped] = useState(() => loginMemory.drafts.get(flow.id) ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>();
  const box = useRef<HTMLInputElement>(null);
  const working = busy || flow.state === 'exchanging';
  const { label, hint } = answerWords[props.method];

  const change = (text: string): void => {
    setTyped(text);
    loginMemory.drafts.set(flow.id, text);
  };
  const finish = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (typed.trim() === '') {
      setProblem('Paste what the vendor gave you here.');
      return box.current?.focus();
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const answer = await client.completeLogin({
        params: { flow_id: flow.id },
        body: { code: typed.trim() },
      });
      loginMemory.drafts.delete(flow.id);
      knowFlow(answer.flow);
      props.onTaken();
    } catch (error) {
      setProblem(failureOf(error).message);
      setBusy(false);
      box.current?.focus();
    }
  };

  return (
    <form onSubmit={(event) => void finish(event)} noValidate autoComplete="off">
      <Field id={`answer-${flow.id}`} label={label} hint={hint} error={problem ?? flow.message ?? undefined}>
        {(field) => (
          <div className="login-line">
            <input
              {...field}
              aria-label={`${label}: ${called}`}
              ref={box}
              className="input mono"
              autoComplete="off"
              spellCheck={false}
              value={typed}
              onChange={(event) => change(event.target.value)}
            />
            <button
              type="submit"
              className="button small"
              aria-label={`${working ? 'Finishing…' : 'Finish'} the login with your ${called}`}
              disabled={working}
            >
              {working ? 'Finishing…' : 'Finish'}
            </button>
          </div>
        )}
      </Field>
    </form>
  );
}
