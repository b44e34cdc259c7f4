import type { Log } from '@maestro/ports';
import { createLiveFigures, type LiveFigures } from './live-figures.ts';
import { both, type TelemetrySink } from './sink.ts';
import { readWishes } from './wishes.ts';

export interface ServerTelemetry {
  readonly sink: TelemetrySink;
  figures(): LiveFigures;
  /** Sends what is left, for at most 2 s. */
  stop(): Promise<void>;
}

export interface TelemetryOptions {
  /** OTLP over HTTP, such as http://127.0.0.1:4318; null: nothing is sent, and nothing is loaded for it. */
  readonly endpoint: string | null;
  readonly version: string;
  readonly log: Log;
}

/** Live figures always; OpenTelemetry where there is somewhere to send it. */
export const createTelemetry = async ({
  endpoint,
  version,
  log,
}: TelemetryOptions): Promise<ServerTelemetry> => {
  const figures = createLiveFigures();
  const alone = { sink: figures, figures: figures.read, stop: async () => undefined };
  if (endpoint === null) return alone;
  const { send, words } = readWishes(process.env);
  if (words) log.warn(send ? 'telemetry' : 'telemetry off', { problem: words });
  if (!send) return alone;
  const { createExport } = await import('./export.ts');
  const { sink, stop } = createExport({ endpoint, version, log });
  return { sink: both(figures, sink), figures: figures.read, stop };
};
