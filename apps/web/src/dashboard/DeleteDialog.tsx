import type { Card } from '@maestro/protocol';
import { useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import Modal from '../ui/Modal.tsx';

/** Deletes a session for good, after its person has typed that they mean it. */
export default function DeleteDialog({ card, onClose }: { card: Card; onClose: (deleted: boolean) => void }) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const sure = typed.trim().toLowerCase() === 'delete';

  const remove = async (): Promise<void> => {
    setBusy(true);
    try {
      await client.deleteSession({ params: { session_id: card.id } });
      onClose(true);
    } catch (error) {
      setProblem(failureOf(error).message);
      setBusy(false);
    }
  };

  return (
    <Modal title={`Delete “${card.title}”?`} narrow onClose={() => onClose(false)}>
      <p>
        Its whole history goes and cannot be brought back. The files it worked on stay, and what it cost stays
        counted. Archiving hides it and keeps everything.
      </p>
      <form
        className="field"
        onSubmit={(event) => {
          event.preventDefault();
          if (sure) void remove();
        }}
      >
        <label htmlFor="confirm-delete">Type “delete” to confirm</label>
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
          <button type="button" className="button" onClick={() => onClose(false)}>
            Keep it
          </button>
          <button type="submit" className="button danger" disabled={!sure || busy}>
            {busy ? 'Deleting…' : 'Delete session'}
          </button>
        </div>
      </form>
    </Modal>
  );
}
