import { type MouseEvent, useLayoutEffect, useRef } from 'react';
import { copyText } from '../ui/copy.ts';
import { highlight, onHighlighter } from './highlight.ts';
import { MarkdownView } from './view.ts';

/** Markdown that may still grow. `finished` freezes its last block. */
export function Markdown({ text, finished }: { text: string; finished: boolean }) {
  const root = useRef<HTMLDivElement>(null);
  const view = useRef<MarkdownView | null>(null);
  const latest = useRef({ text, finished });
  latest.current = { text, finished };

  useLayoutEffect(() => {
    if (!root.current) return;
    const made = new MarkdownView(root.current, highlight);
    view.current = made;
    made.update(latest.current.text, latest.current.finished);
    const forget = onHighlighter(() => {
      made.reset();
      made.update(latest.current.text, latest.current.finished);
    });
    return () => {
      forget();
      made.reset();
    };
  }, []);

  useLayoutEffect(() => {
    view.current?.update(text, finished);
  }, [text, finished]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the copy buttons inside are real buttons; this only delegates
    // biome-ignore lint/a11y/useKeyWithClickEvents: a button's Enter and Space arrive here as clicks
    <div className="md" ref={root} onClick={copyCode} />
  );
}

const copyCode = (event: MouseEvent): void => {
  const button = event.target instanceof Element ? event.target.closest('.code-copy') : null;
  const code = button?.closest('.code')?.querySelector('code');
  if (!button || !code) return;
  void copyText(code.textContent ?? '').then((done) => {
    button.textContent = done ? 'Copied' : 'Select and copy by hand';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 1500);
  });
};
