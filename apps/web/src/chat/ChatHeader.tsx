import type { AccessMode, Effort, ProviderId, Session } from '@maestro/protocol';
import { useState } from 'react';
import { useProviders } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { Icon } from '../ui/icons.tsx';
import { KeysLink } from '../ui/KeysLink.tsx';
import { accessModes, efforts, providerChoice } from '../ui/words.ts';
import { Branches } from './Branches.tsx';

type Change = Partial<{
  provider: ProviderId;
  model: string;
  effort: Effort | null;
  access_mode: AccessMode;
  title: string;
}>;

const other = '\u0000other';

/** Who answers, how hard it thinks and what it may do. A change counts from the next message on. */
export function ChatHeader({ session, onInspector }: { session: Session; onInspector: (() => void) | null }) {
  const providers = useProviders().data ?? [];
  const [problem, setProblem] = useState<{ text: string; keyOf?: ProviderId } | null>(null);
  const [naming, setNaming] = useState(false);
  const provider = providers.find((one) => one.id === session.provider);
  const models = provider?.models ?? [];

  const change = async (body: Change): Promise<void> => {
    try {
      await client.patchSession({ params: { session_id: session.id }, body });
      setProblem(null);
    } catch (error) {
      setProblem({ text: failureOf(error).message });
    }
  };
  const chooseProvider = (id: ProviderId): void => {
    const next = providers.find((one) => one.id === id);
    void change({ provider: id, ...(next?.default_model ? { model: next.default_model } : {}) }).then(() => {
      if (!next || next.state === 'ready' || !next.hint) return;
      setProblem({
        text: `${next.name}: ${next.hint}`,
        // The login of a program on this machine is not among our keys.
        ...(/^needs_/.test(next.state) && !next.auth_types.includes('cli') && { keyOf: id }),
      });
    });
  };
  const chooseModel = (id: string): void => {
    if (id === other) setNaming(true);
    else void change({ model: id });
  };

  return (
    <>
      <header className="chat-head">
        <Title session={session} onChange={(title) => void change({ title })} />
        <div className="chat-choices">
          <Branches session={session} />
          <select
            className="select"
            aria-label="Provider"
            title="Provider, from the next message on"
            value={session.provider}
            onChange={(event) => chooseProvider(event.target.value as ProviderId)}
          >
            {!provider && <option value={session.provider}>{session.provider}</option>}
            {providers.map((one) => (
              <option key={one.id} value={one.id}>
                {providerChoice(one)}
              </option>
            ))}
          </select>
          {naming ? (
            <ModelName
              value={session.model}
              onDone={(name) => {
                setNaming(false);
                if (name && name !== session.model) void change({ model: name });
              }}
            />
          ) : (
            <select
              className="select model"
              aria-label="Model"
              title="Model, from the next message on"
              value={session.model}
              onChange={(event) => chooseModel(event.target.value)}
            >
              {!models.some((model) => model.id === session.model) && (
                <option value={session.model}>{session.model}</option>
              )}
              {models.map((model) => (
                <option key={model.id} value={model.id}>
                  {model.name}
                </option>
              ))}
              <option value={other}>Another model…</option>
            </select>
          )}
          <select
            className="select narrow"
            aria-label="Effort"
            title="How long the model may think"
            value={session.effort ?? ''}
            onChange={(event) =>
              void change({ effort: event.target.value === '' ? null : (event.target.value as Effort) })
            }
          >
            <option value="">Auto effort</option>
            {efforts.map(([value, name]) => (
              <option key={value} value={value}>
                {value === 'off' ? name : `${name} effort`}
              </option>
            ))}
          </select>
          <select
            className="select narrow"
            aria-label="Access"
            title={accessModes[session.access_mode].explanation}
            value={session.access_mode}
            onChange={(event) => void change({ access_mode: event.target.value as AccessMode })}
          >
            {Object.entries(accessModes).map(([value, words]) => (
              <option key={value} value={value}>
                {words.name}
              </option>
            ))}
          </select>
          {onInspector && (
            <button
              type="button"
              className="button icon"
              aria-label="Show session details"
              onClick={onInspector}
            >
              <Icon name="panel" />
            </button>
          )}
        </div>
      </header>
      {problem && (
        <p className="banner warn chat-problem" role="alert">
          {problem.text} {problem.keyOf && <KeysLink provider={problem.keyOf} />}
        </p>
      )}
    </>
  );
}

function ModelName({ value, onDone }: { value: string; onDone: (name: string | null) => void }) {
  const [name, setName] = useState(value);
  return (
    <input
      className="input mono model-name"
      aria-label="Model name"
      spellCheck={false}
      // biome-ignore lint/a11y/noAutofocus: the person has just asked to type a name here
      autoFocus
      value={name}
      onChange={(event) => setName(event.target.value)}
      onBlur={() => onDone(name.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onDone(name.trim());
        if (event.key === 'Escape') {
          event.preventDefault();
          event.stopPropagation();
          onDone(null);
        }
      }}
    />
  );
}

function Title({ session, onChange }: { session: Session; onChange: (title: string) => void }) {
  const [editing, setEditing] = useState(false);
  const [text, setText] = useState(session.title);
  if (!editing)
    return (
      <h1 className="chat-title">
        <button
          type="button"
          className="title-button truncate"
          title={`${session.title} (rename)`}
          onClick={() => {
            setText(session.title);
            setEditing(true);
          }}
        >
          {session.title}
          <span className="visually-hidden">, rename</span>
        </button>
      </h1>
    );
  const done = (): void => {
    setEditing(false);
    if (text.trim() !== '' && text.trim() !== session.title) onChange(text.trim());
  };
  return (
    <input
      className="input chat-title"
      aria-label="Session title"
      // biome-ignore lint/a11y/noAutofocus: the person has just asked to rename here
      autoFocus
      maxLength={200}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done();
        if (event.key === 'Escape') {
          event.preventDefault();
          event.stopPropagation();
          setEditing(false);
        }
      }}
    />
  );
}
