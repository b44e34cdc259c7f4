import type { Credential } from '@maestro/protocol';
import { type FormEvent, useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { Field } from '../ui/Field.tsx';
import Modal from '../ui/Modal.tsx';

/** Renames a credential, and names the header profile its calls are made with. */
export default function EditCredential(props: {
  credential: Credential;
  called: string;
  onClose: () => void;
}) {
  const { credential } = props;
  const [name, setName] = useState(credential.name);
  const [profile, setProfile] = useState(credential.profile ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ message: string; field?: string } | null>(null);
  const errorAt = (field: string): string | undefined =>
    problem?.field === field ? problem.message : undefined;

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (name.trim() === '') return setProblem({ field: 'name', message: 'Give it a name.' });
    setBusy(true);
    try {
      await client.patchCredential({
        params: { id: credential.id },
        body: {
          ...(name.trim() !== credential.name && { name: name.trim() }),
          ...(profile.trim() !== (credential.profile ?? '') && { profile: profile.trim() || null }),
        },
      });
      props.onClose();
    } catch (error) {
      setProblem(failureOf(error));
      setBusy(false);
    }
  };

  return (
    <Modal title={`Edit ${props.called}`} narrow onClose={props.onClose}>
      <form className="form-rows" onSubmit={(event) => void save(event)} noValidate autoComplete="off">
        <Field id="edit-name" label="Name" error={errorAt('name')}>
          {(field) => (
            <input
              {...field}
              className="input"
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field
          id="edit-profile"
          label="Header profile (optional)"
          error={errorAt('profile')}
          hint={`Which headers its calls send. Empty: Maestro chooses${
            credential.profile === null && credential.profile_in_force
              ? `, now ${credential.profile_in_force}`
              : ''
          }.`}
        >
          {(field) => (
            <input
              {...field}
              className="input mono"
              maxLength={100}
              spellCheck={false}
              value={profile}
              onChange={(event) => setProfile(event.target.value)}
            />
          )}
        </Field>
        {problem && problem.field !== 'name' && problem.field !== 'profile' && (
          <p className="banner error" role="alert">
            {problem.message}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            {busy ? 'Saving…' : 'Save'}
          </button>
        </div>
      </form>
    </Modal>
  );
}
