import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';

interface Props {
  readonly label: string;
  /** The message, as no other of its list. */
  readonly called: string;
  readonly text: string;
  /** What is done with the text, for the button. */
  readonly act: string;
  readonly hint?: string;
  readonly busy: boolean;
  readonly problem: string | null;
  /** Told of each change, so that what is typed can outlive the row. */
  readonly onChange?: (text: string) => void;
  readonly onDone: (text: string) => void;
  readonly onCancel: () => void;
}

/** Text edited in its place: Enter does it, Shift Enter makes a new line, Esc leaves it as it was. */
export default function EditBox(props: Props) {
  const [text, setText] = useState(props.text);
  const box = useRef<HTMLTextAreaElement>(null);
  const empty = text.trim() === '';

  useEffect(() => {
    const area = box.current;
    // Its button has just gone, and the focus with it. A box that comes back by itself takes it from nothing else.
    if (!area || document.activeElement !== document.body) return;
    area.focus({ preventScroll: true });
    area.setSelectionRange(area.value.length, area.value.length);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  }, [text]);

  const done = (): void => {
    if (!empty && !props.busy) props.onDone(text);
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      // Esc also stops the running turn; here it only ends the editing.
      event.preventDefault();
      event.stopPropagation();
      props.onCancel();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      done();
    }
  };
  return (
    <div className="edit-box">
      <textarea
        ref={box}
        className="textarea"
        rows={1}
        aria-label={`${props.label}: ${props.called}`}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          props.onChange?.(event.target.value);
        }}
        onKeyDown={keys}
      />
      {props.problem && (
        <p className="field-error" role="alert">
          {props.problem}
        </p>
      )}
      <div className="edit-foot">
        {props.hint && <span className="hint">{props.hint}</span>}
        <button
          type="button"
          className="button small"
          aria-label={`Cancel the edit: ${props.called}`}
          onClick={props.onCancel}
        >
          Cancel
        </button>
        <button
          type="button"
          className="button small primary"
          aria-label={`${props.act}: ${props.called}`}
          disabled={empty || props.busy}
          onClick={done}
        >
          {props.act}
        </button>
      </div>
    </div>
  );
}
