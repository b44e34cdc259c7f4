import { useSyncExternalStore } from 'react';

type Listener = () => void;

/** One value that can be watched; React reads it with `useSignal`. */
export class Signal<T> {
  #value: T;
  readonly #listeners = new Set<Listener>();

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  set = (value: T): void => {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  };

  subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export const useSignal = <T>(signal: Signal<T>): T => useSyncExternalStore(signal.subscribe, signal.get);

let due = new Set<Listener>();
const flush = (): void => {
  const now = due;
  due = new Set();
  for (const listener of now) listener();
};

/** Calls each listener once in the next animation frame; by timer while the tab is hidden, where frames stop. */
export const inNextFrame = (listener: Listener): void => {
  if (due.size === 0) {
    if (document.hidden) setTimeout(flush, 250);
    else requestAnimationFrame(flush);
  }
  due.add(listener);
};
