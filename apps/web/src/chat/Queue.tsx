import type { QueueEntry } from '@maestro/protocol';
import { useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useQueue, useSession, useWatch } from '../live/session.ts';
import { giveBack } from './draft.ts';

/** Messages that wait for the running turn: send one now, or take it back into the box. */
export function Queue() {
  const queue = useQueue();
  const status = useSession()?.status;
  if (queue.length === 0) return null;
  return (
    <section className="queue" aria-label="Waiting messages">
      <h2>
        {status === 'running' || status === 'waiting'
          ? 'Waiting for this turn to end'
          : 'Not sent: the turn ended early'}
      </h2>
      <ul>
        {queue.map((entry) => (
          <Waiting key={entry.id} entry={entry} />
        ))}
      </ul>
    </section>
  );
}

function Waiting({ entry }: { entry: QueueEntry }) {
  const watch = useWatch();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    try {
      await act();
      return true;
    } catch (error) {
      setProblem(failureOf(error).message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const params = { session_id: watch.id, id: entry.id };
  const takeBack = async (): Promise<void> => {
    if (await run(() => client.deleteQueued({ params }))) giveBack(watch.id, entry.text, entry.attachments);
  };

  return (
    <li className="queue-entry">
      <span className="truncate" title={entry.text}>
        {entry.text || `${entry.attachments.length} attached`}
      </span>
      {problem && <span className="field-error">{problem}</span>}
      {entry.deliver === 'now' ? (
        <span className="hint">goes in before the next step</span>
      ) : (
        <button
          type="button"
          className="button small quiet"
          disabled={busy}
          onClick={() => void run(() => client.patchQueued({ params, body: { deliver: 'now' } }))}
        >
          Send now
        </button>
      )}
      <button type="button" className="button small quiet" disabled={busy} onClick={() => void takeBack()}>
        Take back
      </button>
    </li>
  );
}
