import type { Credential } from '@maestro/protocol';
import { client } from '../live/maestro.ts';
import DeleteDialog from '../ui/DeleteDialog.tsx';

/** Deletes a credential after its name was typed. */
export default function DeleteCredential(props: {
  credential: Credential;
  provider: string;
  onClose: () => void;
}) {
  const { id, name, auth_type } = props.credential;
  const what = auth_type === 'oauth' ? 'login' : 'key';
  return (
    <DeleteDialog
      title={`Delete the ${what} “${name}” of ${props.provider}?`}
      word={name}
      act={`Delete ${what}`}
      remove={() => client.deleteCredential({ params: { id } })}
      onClose={props.onClose}
    >
      It is removed from this machine, not revoked at the provider. Sessions that use it go on with the next
      saved one or a key from the environment; where there is none, their next turn fails and says so.
    </DeleteDialog>
  );
}
