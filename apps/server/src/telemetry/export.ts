import { randomUUID } from 'node:crypto';
import type { Log } from '@maestro/ports';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TelemetrySink } from './sink.ts';
import { createSpans } from './spans.ts';

/** Default of `OTEL_METRIC_EXPORT_INTERVAL` in the OpenTelemetry specification, ms. */
const metric_interval_ms = 60_000;
/** A collector that does not answer must not hold up the stop of the server. */
const stop_within_ms = 2000;
/** A collector that is away would fill the log. */
const warn_every_ms = 60_000;

/**
 * Sends traces and metrics as OTLP/HTTP JSON to `<endpoint>/v1/traces` and `/v1/metrics`. `OTEL_SERVICE_NAME`,
 * `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT`, `…_COMPRESSION` and `…_CERTIFICATE` are read
 * by the library.
 */
export const createExport = (options: {
  endpoint: string;
  version: string;
  log: Log;
}): { sink: TelemetrySink; stop(): Promise<void> } => {
  const { version, log } = options;
  const endpoint = options.endpoint.replace(/\/+$/, '');
  // Without the name and password that may stand in the address.
  const host = URL.parse(endpoint)?.host ?? 'the endpoint';
  tellProblems(log, host);
  const resource = resourceFromAttributes({
    'service.name': 'maestro',
    'service.version': version,
    'service.instance.id': randomUUID(),
  }).merge(detectResources({ detectors: [envDetector, serviceNameEnvDetector] }));
  const traces = new TracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }) }),
    ],
  });
  const interval = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  const metrics = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` }),
        exportIntervalMillis: interval > 0 ? interval : metric_interval_ms,
        exportTimeoutMillis: Math.min(30_000, interval > 0 ? interval : 30_000),
      }),
    ],
  });
  return {
    sink: createSpans(traces.getTracer('maestro', version), metrics.getMeter('maestro', version)),
    stop: async () => {
      const sent = await Promise.race([
        Promise.allSettled([traces.shutdown(), metrics.shutdown()]).then(() => true),
        late(stop_within_ms),
      ]);
      if (!sent)
        log.warn('telemetry not sent', { problem: `${host} did not answer within ${stop_within_ms} ms` });
      diag.disable();
    },
  };
};

const tellProblems = (log: Log, endpoint: string): void => {
  let told = Number.NEGATIVE_INFINITY;
  const tell = (problem: string): void => {
    if (performance.now() - told < warn_every_ms) return;
    told = performance.now();
    log.warn('telemetry not sent', { endpoint, problem: problem.slice(0, 500) });
  };
  const quiet = (): void => undefined;
  diag.setLogger(
    { error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
};

const late = (ms: number): Promise<false> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref();
  });
