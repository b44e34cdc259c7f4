import type { ItemOf } from '@maestro/protocol';
import { useId } from 'react';
import { Markdown } from '../../markdown/Markdown.tsx';
import { useNow } from '../../ui/clock.ts';
import { duration } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { ForkOfOpened } from './ForkAction.tsx';
import { useOpen } from './open-rows.ts';

/** Thinking, streamed open; it folds to "Thought for 4 s" when it ends, unless the person chose otherwise. */
export function Thought({ item }: { item: ItemOf<'thought'> }) {
  const streaming = item.status === 'streaming';
  const [open, toggle] = useOpen(item.id, streaming);
  const now = useNow(1000, streaming);
  const body = useId();
  const end = item.data.ended_at ?? item.updated_at;
  const took = (streaming ? now : Date.parse(end)) - Date.parse(item.created_at);
  const words = streaming
    ? `Thinking… ${Math.max(0, Math.round(took / 1000))} s`
    : took < 1000
      ? 'Thought briefly'
      : `Thought for ${duration(took)}`;
  const empty = item.data.text === '';

  return (
    <div className="row thought">
      <button
        type="button"
        className="fold"
        aria-expanded={open}
        aria-controls={body}
        onClick={toggle}
        disabled={empty && !streaming}
      >
        <span className={`fold-arrow${open ? ' open' : ''}`}>
          <Icon name="chevron" />
        </span>
        <Icon name="thought" />
        <span>{item.data.redacted ? `${words}, kept private by the provider` : words}</span>
      </button>
      <div id={body} hidden={!open} className="thought-body">
        {open && !empty && (
          <>
            <Markdown text={item.data.text} finished={!streaming} />
            {!streaming && <ForkOfOpened id={item.id} />}
          </>
        )}
      </div>
    </div>
  );
}
