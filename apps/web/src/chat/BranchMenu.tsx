import type { Conversation, ConversationId } from '@maestro/protocol';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useNow } from '../ui/clock.ts';
import { ago, plainWords } from '../ui/format.ts';
import { Icon } from '../ui/icons.tsx';

interface Props {
  readonly branches: readonly Conversation[];
  readonly active: ConversationId;
  /** Why none can be chosen now. */
  readonly reason: string | null;
  readonly onOpen: () => void;
  readonly onChoose: (id: ConversationId) => void;
}

/**
 * The branches of a conversation, oldest first, with their own first words and their age; the shown one is marked.
 * Arrows, Home and End move, Enter chooses, Esc closes.
 */
export default function BranchMenu(props: Props) {
  const { branches, active, onOpen } = props;
  const [open, setOpen] = useState(false);
  const menu = useId();
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const shown = branches.findIndex((branch) => branch.id === active);

  useEffect(() => {
    if (!open) return;
    const leave = (event: Event): void => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener('pointerdown', leave);
    document.addEventListener('focusin', leave);
    return () => {
      document.removeEventListener('pointerdown', leave);
      document.removeEventListener('focusin', leave);
    };
  }, [open]);

  const show = (): void => {
    setOpen(true);
    onOpen();
  };
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className="branches" ref={place}>
      <button
        ref={button}
        type="button"
        className="button branch-button"
        title="Branches of this conversation"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? menu : undefined}
        onClick={open ? close : show}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          show();
        }}
      >
        <Icon name="branch" />
        Branch {shown + 1 || '?'} of {branches.length}
      </button>
      {open && (
        <div className="menu-place">
          {props.reason && <p className="hint menu-note">{props.reason}</p>}
          <BranchList
            {...props}
            id={menu}
            onClose={close}
            onChoose={(id) => {
              close();
              props.onChoose(id);
            }}
          />
        </div>
      )}
    </div>
  );
}

function BranchList(props: Props & { id: string; onClose: () => void }) {
  const { branches, active, reason } = props;
  const now = useNow(30_000);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus(), []);

  const keys = (event: KeyboardEvent): void => {
    const items = [...(list.current?.querySelectorAll<HTMLElement>('[role="menuitemradio"]') ?? [])];
    const at = items.findIndex((item) => item.matches(':focus'));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) items.at(to % items.length)?.focus();
    else if (event.key === 'Escape') props.onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={list} id={props.id} role="menu" aria-label="Branches" className="menu" onKeyDown={keys}>
      {branches.map((branch, index) => (
        <button
          key={branch.id}
          type="button"
          role="menuitemradio"
          aria-checked={branch.id === active}
          aria-disabled={reason !== null}
          tabIndex={-1}
          className="menu-item"
          onClick={() => reason === null && props.onChoose(branch.id)}
        >
          <span className="menu-mark">{branch.id === active && <Icon name="check" />}</span>
          <span className="truncate">
            {index + 1}. {plainWords(branch.preview) || 'No words of its own yet'}
          </span>
          <span className="hint">{ago(branch.created_at, now)}</span>
        </button>
      ))}
    </div>
  );
}
