/** A value that tells its listeners when it changes, at once. */
export interface Observable<T> {
  readonly value: T;
  /** Returns the way to stop listening. */
  listen(listener: (value: T) => void): () => void;
}

export interface Source<T> extends Observable<T> {
  set(value: T): void;
}

export const source = <T>(first: T): Source<T> => {
  let value = first;
  const listeners = new Set<(value: T) => void>();
  return {
    get value() {
      return value;
    },
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(next);
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};

/** Listeners by topic; called once for each topic told, in one go. */
export interface Topics<T> {
  on(topic: T, listener: () => void): () => void;
  tell(topics: Iterable<T>): void;
}

export const topics = <T>(): Topics<T> => {
  const byTopic = new Map<T, Set<() => void>>();
  return {
    on: (topic, listener) => {
      const listeners = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && byTopic.get(topic) === listeners) byTopic.delete(topic);
      };
    },
    tell: (told) => {
      const due = new Set<() => void>();
      for (const topic of told) for (const listener of byTopic.get(topic) ?? []) due.add(listener);
      for (const listener of due) listener();
    },
  };
};
