/** Bounds of the live hub. Times in ms, sizes in bytes. */
export interface HubLimits {
  /** Frames a socket may send at once … */
  readonly burst: number;
  /** … and one more each tick, with everything since. 4 and 8 ms: measured best of first token, latency and CPU. */
  readonly tick_ms: number;
  readonly heartbeat_ms: number;
  /** How often sockets are looked after: credentials, stalls, missing hello. */
  readonly sweep_ms: number;
  readonly stats_ms: number;
  readonly hello_ms: number;
  /** Unsent bytes above which a socket loses deltas … */
  readonly behind_bytes: number;
  /** … and below which its streams are reset … */
  readonly recovered_bytes: number;
  /** … and above which it is closed, as it is after `stall_ms` without any progress. */
  readonly most_bytes: number;
  readonly stall_ms: number;
  /** Rows of one catch-up; above it the snapshot is the shorter way. */
  readonly replay_rows: number;
  readonly replay_page: number;
  readonly bad_frames: number;
  readonly subscriptions: number;
}

export const hubLimits: HubLimits = {
  burst: 4,
  tick_ms: 8,
  heartbeat_ms: 10_000,
  sweep_ms: 1000,
  stats_ms: 2000,
  hello_ms: 10_000,
  behind_bytes: 1024 * 1024,
  recovered_bytes: 256 * 1024,
  most_bytes: 16 * 1024 * 1024,
  stall_ms: 30_000,
  replay_rows: 2000,
  replay_page: 500,
  bad_frames: 10,
  subscriptions: 1000,
};
