/**
 * What servers tell each other without keeping it: messages, and values with a time to live. Nothing durable is here:
 * a message may be lost when the connection is, and whoever needs to know finds it in the database.
 */
export interface Realtime {
  /** false: this process is alone; messages reach only itself. */
  readonly shared: boolean;
  /**
   * Sends to all who listen now and answers how many connections they have. Messages of one sender reach a receiver in
   * the order they were sent, over all channels. Rejects at once while there is no connection: nothing is kept for later.
   */
  publish(channel: string, message: string): Promise<number>;
  /** Resolves when messages arrive; the answer ends it. It is kept over a lost connection: see `onState`. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  set(key: string, value: string, ttl_ms: number): Promise<void>;
  get(key: string): Promise<string | null>;
  /** Takes a key that nobody holds. false: it is held, also when by the same owner. */
  acquire(key: string, owner: string, ttl_ms: number): Promise<boolean>;
  /** Gives a key that `owner` holds a new time to live. false: somebody else has it, or nobody. */
  touch(key: string, owner: string, ttl_ms: number): Promise<boolean>;
  state(): RealtimeState;
  /** Told of each change. With `up` every subscription works again; what was sent meanwhile is lost. */
  onState(listener: (state: RealtimeState) => void): () => void;
  close(): Promise<void>;
}

export type RealtimeState = 'up' | 'down';
