import { type AccessMode, type Effort, newId, type ProviderFacts, type SessionId } from '@maestro/protocol';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useRef, useState } from 'react';
import { useProviders, useServerFacts } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { Field } from '../ui/Field.tsx';
import { accessModes, efforts } from '../ui/words.ts';
import { Answerer, type Answering, answererOf, chosen, modelOf } from './Answerer.tsx';

type Errors = Readonly<Record<string, string>>;

/** The form for a new session. What the server refuses is said beside the field, and nothing typed is lost. */
export function NewSession({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const providers = useProviders();
  const facts = useServerFacts();
  if (providers.isError)
    return (
      <p className="banner error" role="alert">
        The providers cannot be listed: {failureOf(providers.error).message}
      </p>
    );
  if (!providers.data || !facts) return <p className="muted">Asking the providers…</p>;
  return (
    <Form
      providers={providers.data}
      folder={facts.default_working_directory}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

function Form(props: {
  providers: readonly ProviderFacts[];
  folder: string;
  onDone: () => void;
  onCancel?: () => void;
}) {
  const navigate = useNavigate();
  const first = props.providers.find((provider) => provider.state === 'ready') ?? props.providers[0];
  const [picked, setPicked] = useState<Answering>();
  // Until something is chosen it follows what is learnt of the providers.
  const answerer = picked ?? answererOf(first);
  const [folder, setFolder] = useState(props.folder);
  const [mode, setMode] = useState<AccessMode>('full');
  const [effort, setEffort] = useState<Effort | ''>('');
  const [prompt, setPrompt] = useState('');
  const [title, setTitle] = useState('');
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const id = useRef(newId<SessionId>('ses'));
  const prefix = useId();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const missing: Record<string, string> = {};
    if (folder.trim() === '') missing['working_directory'] = 'Name the folder the agent works in.';
    if (modelOf(answerer, props.providers).trim() === '')
      missing['model'] = `Name ${answerer.provider === 'acp' ? 'an agent' : 'a model'}.`;
    setErrors(missing);
    if (Object.keys(missing).length > 0) return;
    setBusy(true);
    try {
      const { session } = await client.createSession({
        body: {
          id: id.current,
          ...chosen(answerer, props.providers),
          working_directory: folder.trim(),
          access_mode: mode,
          effort: effort === '' ? undefined : effort,
          system_prompt: prompt.trim() === '' ? undefined : prompt,
          title: title.trim() === '' ? undefined : title.trim(),
        },
      });
      props.onDone();
      await navigate({ to: '/sessions/$id', params: { id: session.id } });
    } catch (error) {
      const failure = failureOf(error);
      setErrors({ [failure.field ?? '']: failure.message });
      setBusy(false);
    }
  };

  const known = [
    'provider',
    'model',
    'auth_type',
    'working_directory',
    'access_mode',
    'effort',
    'system_prompt',
    'base_url',
    'title',
  ];
  const general = Object.entries(errors).find(([field]) => !known.includes(field));

  return (
    <form className="new-session" onSubmit={(event) => void submit(event)} noValidate>
      <Answerer
        prefix={prefix}
        providers={props.providers}
        value={answerer}
        onChange={setPicked}
        errors={errors}
      />
      <div className="span">
        <Field
          id={`${prefix}folder`}
          label="Working directory"
          error={errors['working_directory']}
          hint="The folder the agent reads, writes and runs commands in."
        >
          {(field) => (
            <input
              {...field}
              className="input mono"
              spellCheck={false}
              value={folder}
              onChange={(event) => setFolder(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Field
        id={`${prefix}access`}
        label="Access"
        error={errors['access_mode']}
        hint={accessModes[mode].explanation}
      >
        {(field) => (
          <select
            {...field}
            className="select"
            value={mode}
            onChange={(event) => setMode(event.target.value as AccessMode)}
          >
            {Object.entries(accessModes).map(([value, words]) => (
              <option key={value} value={value}>
                {words.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        id={`${prefix}effort`}
        label="Effort"
        error={errors['effort']}
        hint="How long the model may think before it answers."
      >
        {(field) => (
          <select
            {...field}
            className="select"
            value={effort}
            onChange={(event) => setEffort(event.target.value as Effort | '')}
          >
            <option value="">Model's default</option>
            {efforts.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="span">
        <Field id={`${prefix}title`} label="Title (optional)" error={errors['title']}>
          {(field) => (
            <input
              {...field}
              className="input"
              value={title}
              maxLength={200}
              onChange={(event) => setTitle(event.target.value)}
              placeholder="Named after your first message"
            />
          )}
        </Field>
      </div>
      <div className="span">
        <Field id={`${prefix}prompt`} label="System prompt (optional)" error={errors['system_prompt']}>
          {(field) => (
            <textarea
              {...field}
              className="textarea"
              rows={3}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
              placeholder="Who the agent is and how it should work"
            />
          )}
        </Field>
      </div>
      {general && (
        <p className="banner error span" role="alert">
          {general[1]}
        </p>
      )}
      <div className="dialog-actions span">
        {props.onCancel && (
          <button type="button" className="button" onClick={props.onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? 'Starting…' : 'Start session'}
        </button>
      </div>
    </form>
  );
}
