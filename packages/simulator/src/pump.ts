import type { ServerResponse } from 'node:http';
import zlib from 'node:zlib';
import type { Emission } from './player.ts';
import type { Scenario } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';

/** Without a rate, so many writes are made before the event loop gets its turn. */
const BURST = 16;

/** How the body ended. `cut`: the simulator destroyed the socket. `stalled` is not an end. */
export interface PumpReport {
  chunk(): void;
  stalled(): void;
  ended(how: 'complete' | 'cut'): void;
}

/**
 * Writes an answer to its socket: at the scenario's rate, on an absolute schedule that does not drift, never faster
 * than the socket takes it. Gives back what stops it.
 */
export const pump = (
  response: ServerResponse,
  emissions: Iterator<Emission>,
  scenario: Scenario,
  scheduler: Scheduler,
  report: PumpReport,
): (() => void) => {
  const sink = openSink(response, scenario);
  const msPerToken = scenario.tokens_per_second ? 1000 / scenario.tokens_per_second : 0;
  let due = performance.now();
  let left = scenario.cut_after_chunks ?? Number.POSITIVE_INFINITY;
  let stopped = false;
  let cancel: () => void = () => undefined;

  const later = (at: number) => {
    cancel = scheduler.at(at, run);
  };
  const soon = () => {
    const immediate = setImmediate(run);
    cancel = () => clearImmediate(immediate);
  };
  const cut = () => {
    // Not at once: what was written is still on its way from this tick to the kernel.
    setImmediate(() => {
      report.ended('cut');
      response.socket?.destroy();
    });
  };
  const run = () => {
    for (let written = 0; !stopped; ) {
      const now = performance.now();
      if (due > now) return later(due);
      if (left <= 0) return cut();
      const next = emissions.next();
      if (next.done || next.value.type === 'end') return sink.end(() => report.ended('complete'));
      const emission = next.value;
      if (emission.type === 'wait') due = Math.max(due, now) + emission.ms;
      else if (emission.type === 'cut') return cut();
      else if (emission.type === 'stall') return report.stalled();
      else if (emission.text !== '') {
        if (emission.tokens > 0) left -= 1;
        due += emission.tokens * msPerToken;
        report.chunk();
        if (!sink.write(emission.text)) return sink.drained(run);
        written += 1;
        if (written >= BURST) return soon();
      } else due += emission.tokens * msPerToken;
    }
  };
  run();
  return () => {
    stopped = true;
    cancel();
  };
};

interface Sink {
  /** false: wait for `drained`. */
  write(text: string): boolean;
  drained(then: () => void): void;
  end(then: () => void): void;
}

const openSink = (response: ServerResponse, scenario: Scenario): Sink => {
  const size = scenario.write_bytes;
  if (scenario.encoding) return compressed(response, scenario.encoding);
  const write = (text: string) => {
    if (size === undefined) return response.write(text);
    const bytes = Buffer.from(text);
    let open = true;
    for (let at = 0; at < bytes.length; at += size) open = response.write(bytes.subarray(at, at + size));
    return open;
  };
  return {
    write,
    drained: (then) => void response.once('drain', then),
    end: (then) => void response.end(then),
  };
};

const compressed = (response: ServerResponse, encoding: NonNullable<Scenario['encoding']>): Sink => {
  const stream = {
    gzip: zlib.createGzip,
    deflate: zlib.createDeflate,
    br: zlib.createBrotliCompress,
    zstd: zlib.createZstdCompress,
  }[encoding]();
  stream.pipe(response);
  return {
    write: (text) => {
      const open = stream.write(text);
      stream.flush();
      return open;
    },
    drained: (then) => void stream.once('drain', then),
    end: (then) => {
      response.once('finish', then);
      stream.end();
    },
  };
};
