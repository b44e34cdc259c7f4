import type { HLJSApi } from 'highlight.js';
import type { Highlight } from './dialect.ts';

let engine: HLJSApi | null = null;
let loading: Promise<void> | null = null;
const waiting = new Set<() => void>();

/** Highlighted HTML; null until the highlighter is loaded (ask `onHighlighter`) and for languages it does not know. */
export const highlight: Highlight = (code, language) => {
  if (!engine) {
    void loadHighlighter();
    return null;
  }
  if (code.length > 60_000 || !engine.getLanguage(language)) return null;
  return engine.highlight(code, { language, ignoreIllegals: true }).value;
};

/** Loads the highlighter with its common languages, once. Code stays plain text where that fails. */
export const loadHighlighter = (): Promise<void> => {
  loading ??= import('./languages.ts').then((module) => {
    engine = module.default;
    for (const listener of waiting) listener();
    waiting.clear();
  });
  return loading;
};

/** Calls `listener` once, when the highlighter arrives; at no time where it is here already. */
export const onHighlighter = (listener: () => void): (() => void) => {
  if (engine) return () => undefined;
  waiting.add(listener);
  return () => waiting.delete(listener);
};
