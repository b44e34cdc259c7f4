import type { AuthType, Session, ToolFacts } from '@maestro/protocol';
import { useEffect, useState } from 'react';
import { useProviders, useTools } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { whole } from '../ui/format.ts';
import { authTypes } from '../ui/words.ts';
import { Usage } from './Usage.tsx';

/** Beside the chat: what it used, how full the context is, which tools it has, its prompt. */
export function Inspector({ session }: { session: Session }) {
  return (
    <>
      <Usage session={session} />
      <Context session={session} />
      <Tools session={session} />
      <SignIn session={session} />
      <Prompt session={session} />
      <section>
        <h2>Working directory</h2>
        <p className="mono wrap">{session.working_directory}</p>
      </section>
    </>
  );
}

function Context({ session }: { session: Session }) {
  const provider = useProviders().data?.find((one) => one.id === session.provider);
  const size = provider?.models.find((model) => model.id === session.model)?.context_tokens ?? null;
  const used = session.context_tokens;
  if (size === null)
    return (
      <section>
        <h2>Context</h2>
        <p>
          {whole(used)} tokens <span className="hint">of an unknown window</span>
        </p>
      </section>
    );
  const share = Math.min(1, used / size);
  const percent = used > 0 && share < 0.01 ? 'under 1' : String(Math.round(share * 100));
  return (
    <section>
      <h2>Context window, {percent} % used</h2>
      <div
        className={`meter${share >= 0.8 ? ' full' : ''}`}
        role="img"
        aria-label={`${whole(used)} of ${whole(size)} tokens`}
      >
        <span style={{ width: `${Math.max(share * 100, used > 0 ? 1 : 0)}%` }} />
      </div>
      <p className="hint">
        {whole(used)} of {whole(size)} tokens
        {share >= 0.8 && '. Nearly full: older parts may have to be shortened.'}
      </p>
    </section>
  );
}

/** Switches on their way to the server: shown at once, until it refuses or the session has come to where it took them. */
interface Asked {
  readonly switches: Readonly<Record<string, boolean>>;
  /** The session's seq with them; infinite while that is not known. */
  readonly taken: number;
}
const nothingAsked: Asked = { switches: {}, taken: Number.POSITIVE_INFINITY };

function Tools({ session }: { session: Session }) {
  const tools = useTools();
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(nothingAsked);
  useEffect(() => {
    if (session.seq >= asked.taken) setAsked(nothingAsked);
  }, [session.seq, asked]);
  const flip = async (tool: ToolFacts, on: boolean): Promise<void> => {
    const sent: Asked = { switches: { ...asked.switches, [tool.name]: on }, taken: Number.POSITIVE_INFINITY };
    setAsked(sent);
    try {
      const { session: changed } = await client.patchSession({
        params: { session_id: session.id },
        body: { tools: { ...session.tools, ...sent.switches } },
      });
      setAsked((now) => (now === sent ? { ...sent, taken: changed.seq } : now));
      setProblem(null);
    } catch (error) {
      setAsked(nothingAsked);
      setProblem(failureOf(error).message);
    }
  };
  if (session.auth_type === 'cli')
    return (
      <section>
        <h2>Tools in this session</h2>
        <p className="hint">
          This agent works with tools of its own. The access mode decides what they may do.
        </p>
      </section>
    );
  return (
    <section>
      <h2>Tools in this session</h2>
      {tools.isPending && <p className="muted">Loading…</p>}
      {tools.isError && <p className="field-error">{failureOf(tools.error).message}</p>}
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <ul className="tool-switches">
        {(tools.data ?? []).map((tool) => (
          <li key={tool.name}>
            <label className="tool-switch" title={tool.description}>
              <input
                type="checkbox"
                checked={tool.is_enabled && (asked.switches[tool.name] ?? session.tools[tool.name] ?? true)}
                disabled={!tool.is_enabled}
                onChange={(event) => void flip(tool, event.target.checked)}
              />
              <span className="truncate">{tool.name}</span>
              <span className="hint">{tool.is_enabled ? kinds[tool.kind] : 'off for all'}</span>
            </label>
          </li>
        ))}
      </ul>
    </section>
  );
}

const kinds = { read: 'reads', write: 'writes', execute: 'runs' } as const;

/** How the provider knows the person, where it knows more than one way. */
function SignIn({ session }: { session: Session }) {
  const provider = useProviders().data?.find((one) => one.id === session.provider);
  const [problem, setProblem] = useState<string | null>(null);
  if (!provider || provider.auth_types.length < 2) return null;
  const change = (auth_type: AuthType): void => {
    client
      .patchSession({ params: { session_id: session.id }, body: { auth_type } })
      .then(() => setProblem(null))
      .catch((error: unknown) => setProblem(failureOf(error).message));
  };
  return (
    <section>
      <h2>
        <label htmlFor="sign-in">Signs in to {provider.name} by</label>
      </h2>
      <select
        id="sign-in"
        className="select"
        value={session.auth_type}
        onChange={(event) => change(event.target.value as AuthType)}
      >
        {provider.auth_types.map((type) => (
          <option key={type} value={type}>
            {authTypes[type]}
          </option>
        ))}
      </select>
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function Prompt({ session }: { session: Session }) {
  const [text, setText] = useState(session.system_prompt);
  const [state, setState] = useState<'same' | 'saving' | 'saved'>('same');
  const [problem, setProblem] = useState<string | null>(null);
  const changed = text !== session.system_prompt;
  useEffect(() => setText(session.system_prompt), [session.system_prompt]);

  const save = async (): Promise<void> => {
    setState('saving');
    try {
      await client.patchSession({ params: { session_id: session.id }, body: { system_prompt: text } });
      setProblem(null);
      setState('saved');
    } catch (error) {
      setProblem(failureOf(error).message);
      setState('same');
    }
  };
  return (
    <section>
      <h2>
        <label htmlFor="system-prompt">System prompt</label>
      </h2>
      <textarea
        id="system-prompt"
        className="textarea"
        rows={4}
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder="None: the agent's own default"
      />
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <p className="prompt-foot">
        <span className="hint" aria-live="polite">
          {changed ? 'Counts from the next message on' : state === 'saved' ? 'Saved' : ''}
        </span>
        <button
          type="button"
          className="button small"
          disabled={!changed || state === 'saving'}
          onClick={() => void save()}
        >
          Save
        </button>
      </p>
    </section>
  );
}
