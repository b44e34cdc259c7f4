import type { QueueEntry } from '@maestro/protocol';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useWatch } from '../live/session.ts';
import { Icon } from '../ui/icons.tsx';
import { focusComposer, giveBack } from './draft.ts';
import EditBox from './EditBox.tsx';
import { queueEdits } from './edits.ts';

type Direction = 'up' | 'down';

interface Props {
  readonly entry: QueueEntry;
  /** As no other that waits. */
  readonly called: string;
  readonly index: number;
  readonly count: number;
  /** A turn runs. */
  readonly running: boolean;
  /** It can be sent before those that wait, or into the turn that runs. */
  readonly takesNow: boolean;
  /** Called before the new order comes. */
  readonly onMoved: (direction: Direction, to: number) => void;
}

/** One waiting message. Alt with an arrow key moves it from anywhere in its row. */
export default function QueueRow({ entry, called, index, count, running, takesNow, onMoved }: Props) {
  const watch = useWatch();
  const [busy, setBusy] = useState(false);
  const [editing, setEditing] = useState(() => queueEdits.get(watch.id, entry.id) !== undefined);
  const [problem, setProblem] = useState<string | null>(null);
  const editButton = useRef<HTMLButtonElement>(null);
  const edited = useRef(false);
  useEffect(() => {
    if (!editing && edited.current) editButton.current?.focus();
    edited.current = editing;
  }, [editing]);
  const params = { session_id: watch.id, id: entry.id };

  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    try {
      await act();
      setProblem(null);
      return true;
    } catch (error) {
      setProblem(failureOf(error).message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const takeBack = async (): Promise<void> => {
    if (!(await run(() => client.deleteQueued({ params })))) return;
    giveBack(watch.id, entry.text, entry.attachments);
    focusComposer();
  };
  const move = (direction: Direction): void => {
    const to = index + (direction === 'up' ? -1 : 1);
    if (busy || to < 0 || to >= count) return;
    onMoved(direction, to);
    void run(() => client.patchQueued({ params, body: { index: to } }));
  };
  const edit = (on: boolean): void => {
    if (on) queueEdits.set(watch.id, entry.id, entry.text, entry.text);
    else queueEdits.end(watch.id, entry.id);
    setEditing(on);
  };
  const save = async (text: string): Promise<void> => {
    if (await run(() => client.patchQueued({ params, body: { text } }))) edit(false);
  };
  const keys = (event: KeyboardEvent): void => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    move(event.key === 'ArrowUp' ? 'up' : 'down');
  };

  if (editing)
    return (
      <li className="queue-entry editing">
        <EditBox
          label="Edit the waiting message"
          called={called}
          text={queueEdits.get(watch.id, entry.id) ?? entry.text}
          act="Save"
          busy={busy}
          problem={problem}
          onChange={(text) => queueEdits.set(watch.id, entry.id, text, entry.text)}
          onDone={(text) => void save(text)}
          onCancel={() => {
            edit(false);
            setProblem(null);
          }}
        />
      </li>
    );
  return (
    <li className="queue-entry" data-entry={entry.id} onKeyDown={keys}>
      <span className="truncate" title={entry.text}>
        {entry.text || `${entry.attachments.length} attached`}
      </span>
      {problem && (
        <span className="field-error" role="alert">
          {problem}
        </span>
      )}
      {running && entry.deliver === 'now' ? (
        <span className="hint">
          {takesNow ? 'goes in before the next step' : 'goes in when the turn ends'}
        </span>
      ) : (
        <>
          {count > 1 && (
            <>
              <MoveButton direction="up" called={called} disabled={index === 0} onMove={() => move('up')} />
              <MoveButton
                direction="down"
                called={called}
                disabled={index === count - 1}
                onMove={() => move('down')}
              />
            </>
          )}
          <button
            ref={editButton}
            type="button"
            className="button small quiet"
            aria-label={`Edit: ${called}`}
            disabled={busy}
            onClick={() => edit(true)}
          >
            Edit
          </button>
          {takesNow && (
            <button
              type="button"
              className="button small quiet"
              aria-label={`Send now: ${called}`}
              disabled={busy}
              onClick={() => void run(() => client.patchQueued({ params, body: { deliver: 'now' } }))}
            >
              Send now
            </button>
          )}
        </>
      )}
      <button
        type="button"
        className="button small quiet"
        aria-label={`Take back: ${called}`}
        disabled={busy}
        onClick={() => void takeBack()}
      >
        Take back
      </button>
    </li>
  );
}

function MoveButton(props: { direction: Direction; called: string; disabled: boolean; onMove: () => void }) {
  const { direction } = props;
  return (
    <button
      type="button"
      className={`button icon small quiet move-${direction}`}
      data-move={direction}
      aria-label={`Move ${direction}: ${props.called}`}
      title={`Move ${direction} (Alt ${direction === 'up' ? '↑' : '↓'})`}
      disabled={props.disabled}
      onClick={props.onMove}
    >
      <Icon name="down" />
    </button>
  );
}
