import { type ReactNode, useState } from 'react';
import { failureOf } from '../live/maestro.ts';
import Modal from './Modal.tsx';

/** Deletes something for good, after its person has typed that they mean it. */
export default function DeleteDialog(props: {
  title: string;
  /** What goes and what stays. */
  children: ReactNode;
  /** A choice to make first. */
  more?: ReactNode;
  /** The button's words. */
  act: string;
  /** What has to be typed; without it “delete”. */
  word?: string;
  remove: () => Promise<unknown>;
  /** As of a Modal. */
  returnsFocus?: () => boolean;
  onClose: (deleted: boolean) => void;
}) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const word = props.word ?? 'delete';
  const sure = typed.trim() === word || (!props.word && typed.trim().toLowerCase() === word);

  const remove = async (): Promise<void> => {
    setBusy(true);
    try {
      await props.remove();
      props.onClose(true);
    } catch (error) {
      setProblem(failureOf(error).message);
      setBusy(false);
    }
  };

  return (
    <Modal
      title={props.title}
      narrow
      {...(props.returnsFocus && { returnsFocus: props.returnsFocus })}
      onClose={() => props.onClose(false)}
    >
      <p>{props.children}</p>
      <form
        className="field"
        onSubmit={(event) => {
          event.preventDefault();
          if (sure) void remove();
        }}
      >
        {props.more}
        <label htmlFor="confirm-delete">Type “{word}” to confirm</label>
        <input
          id="confirm-delete"
          className="input"
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        {problem && (
          <p className="field-error" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => props.onClose(false)}>
            Keep it
          </button>
          <button type="submit" className="button danger" disabled={!sure || busy}>
            {busy ? 'Deleting…' : props.act}
          </button>
        </div>
      </form>
    </Modal>
  );
}
