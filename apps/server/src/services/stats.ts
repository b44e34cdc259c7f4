import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Stats } from '@maestro/protocol';
import type { LiveFigures } from '../telemetry/live-figures.ts';

/** Sampling interval of the event-loop delay, ms; the histogram counts it in, so it is taken off. */
const resolution = 20;

export interface StatsSource {
  read(counts: { sockets: number; sessions_running: number } & LiveFigures): Stats;
  stop(): void;
}

/** CPU since the last reading, memory, and the event-loop delay's p99 since the last reading. */
export const createStats = (): StatsSource => {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  let last = { at: performance.now(), cpu: process.cpuUsage() };
  return {
    read: (counts) => {
      const now = { at: performance.now(), cpu: process.cpuUsage() };
      const used_ms = (now.cpu.user - last.cpu.user + now.cpu.system - last.cpu.system) / 1000;
      const cpu_percent = (100 * used_ms) / Math.max(1, now.at - last.at);
      const p99 = Math.max(0, delay.percentile(99) / 1e6 - resolution);
      delay.reset();
      last = now;
      return {
        uptime_s: Math.round(process.uptime()),
        cpu_percent: Math.round(cpu_percent * 10) / 10,
        memory_mb: Math.round(process.memoryUsage.rss() / 1e5) / 10,
        event_loop_p99_ms: Number.isFinite(p99) ? Math.round(p99 * 10) / 10 : 0,
        ...counts,
      };
    },
    stop: () => delay.disable(),
  };
};
