import type { Credential, LoginFacts } from '@maestro/protocol';
import { useRef, useState } from 'react';
import { client } from '../live/maestro.ts';
import DeleteDialog from '../ui/DeleteDialog.tsx';

/** Deletes a credential after its name was typed; a login is ended at its vendor too, if wanted and where that can be done. */
export default function DeleteCredential(props: {
  credential: Credential;
  provider: string;
  /** Of the vendor, where it is a login. */
  facts: LoginFacts | undefined;
  /** What became of it, in words; null: nothing was deleted. */
  onClose: (outcome: { text: string; ok: boolean } | null) => void;
}) {
  const { id, name, auth_type } = props.credential;
  const [revoke, setRevoke] = useState(true);
  /** The focus goes on to what became of it: the button that led here goes with its row. */
  const gone = useRef(false);
  const login = auth_type === 'oauth';
  const what = login ? 'login' : 'key';
  const note = login ? props.facts?.revoke_note : undefined;
  const remove = async (): Promise<void> => {
    const query = { revoke: revoke ? 'true' : 'false' };
    const { revoked, message } = await client.deleteCredential({ params: { id }, query });
    gone.current = true;
    props.onClose({ text: message, ok: revoked !== false });
  };
  return (
    <DeleteDialog
      title={`Delete the ${what} “${name}” of ${props.provider}?`}
      word={name}
      act={`Delete ${what}`}
      remove={remove}
      returnsFocus={() => !gone.current}
      more={
        note && (
          <label className="method">
            <input type="checkbox" checked={revoke} onChange={(event) => setRevoke(event.target.checked)} />
            <span>
              End it at the vendor too
              <span className="hint">{note}</span>
            </span>
          </label>
        )
      }
      onClose={(deleted) => deleted || props.onClose(null)}
    >
      It is removed from this machine{note ? '' : ', not ended at the provider'}. Sessions that use it go on
      with the next saved one or a key from the environment; where there is none, their next turn fails and
      says so.
    </DeleteDialog>
  );
}
