import type { QueueEntry } from '@maestro/protocol';
import { useLayoutEffect, useRef } from 'react';
import { useQueue, useSession } from '../live/session.ts';
import { announce } from '../ui/announcer.tsx';
import { later } from '../ui/later.tsx';
import { toldApart } from '../ui/told-apart.ts';
import { useEditsOfGone } from './edits-of-gone.ts';

const QueueRow = later(() => import('./QueueRow.tsx'));

/** The beginning of a message, for who hears its buttons without seeing its row. */
const wordsOf = ({ text, attachments }: QueueEntry): string =>
  text.slice(0, 60) || `${attachments.length} attached`;

/** Messages that wait for the running turn: edit one, move it, send it now, or take it back into the box. */
export function Queue() {
  const queue = useQueue();
  const session = useSession();
  const running = session?.status === 'running' || session?.status === 'waiting';
  // A program of its own takes nothing while it works.
  const takesNow = !(running && session.auth_type === 'cli');
  useEditsOfGone(queue);
  const list = useRef<HTMLUListElement>(null);
  /** The button that moved an entry; it keeps the focus at the entry's new place. */
  const mover = useRef<string | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new order moves the focus along
  useLayoutEffect(() => {
    const held = mover.current;
    if (!held) return;
    mover.current = null;
    const [id, direction] = held.split(' ');
    const buttons = list.current?.querySelectorAll<HTMLButtonElement>(`[data-entry="${id}"] [data-move]`);
    const usable = [...(buttons ?? [])].filter((button) => !button.disabled);
    (usable.find((button) => button.dataset['move'] === direction) ?? usable[0])?.focus();
  }, [queue]);

  if (queue.length === 0) return null;
  const names = toldApart(queue.map(wordsOf));
  return (
    <section className="queue" aria-label="Waiting messages">
      <h2>{running ? 'Waiting for this turn to end' : 'Not sent: the turn ended early'}</h2>
      <ul ref={list}>
        {queue.map((entry, index) => (
          <QueueRow
            key={entry.id}
            entry={entry}
            called={names[index] ?? ''}
            index={index}
            count={queue.length}
            running={running}
            takesNow={takesNow}
            onMoved={(direction, to) => {
              mover.current = `${entry.id} ${direction}`;
              announce(`Moved to place ${to + 1} of ${queue.length}.`);
            }}
          />
        ))}
      </ul>
    </section>
  );
}
