/** Between the main thread and the thread of PGlite. */
export interface WorkerData {
  /** Folder of the database; made when it is not there. */
  readonly folder: string;
  /** One 32-bit number: bytes of answers that were sent and not yet read. */
  readonly unread: SharedArrayBuffer;
}
/** Whole frontend messages, up to one that asks for an answer (Sync, Query, CopyDone). */
export interface ToWorker {
  readonly type: 'run' | 'close';
  readonly bytes?: Uint8Array<ArrayBuffer>;
}
export type FromWorker =
  | { readonly type: 'ready' }
  /** Backend messages; they may be cut anywhere. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'answered' }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly message: string };
