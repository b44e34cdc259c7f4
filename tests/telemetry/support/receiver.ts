import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** OTLP 1.x in its JSON form: what a collector takes. Unknown fields are refused, so that a wrong name is seen. */
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const nanos = z.string().regex(/^\d{19}$/);
const AnyValue: z.ZodType<Value> = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.union([z.int(), z.string().regex(/^-?\d+$/)]) }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(AnyValue) }) }),
  ]),
);
type Value =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: number | string }
  | { doubleValue: number }
  | { arrayValue: { values: Value[] } };
const Attributes = z.array(z.strictObject({ key: z.string().min(1), value: AnyValue }));
const Resource = z.strictObject({
  attributes: Attributes,
  droppedAttributesCount: z.int(),
  entityRefs: z.array(z.unknown()).optional(),
});
const Scope = z.strictObject({
  name: z.literal('maestro'),
  version: z.string(),
  attributes: Attributes.optional(),
  droppedAttributesCount: z.int().optional(),
});
const Span = z.strictObject({
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: hex(8).optional(),
  traceState: z.string().optional(),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes: Attributes,
  droppedAttributesCount: z.literal(0),
  events: z.array(
    z.strictObject({
      timeUnixNano: nanos,
      name: z.string().min(1),
      attributes: Attributes,
      droppedAttributesCount: z.literal(0),
    }),
  ),
  droppedEventsCount: z.literal(0),
  links: z.array(z.unknown()),
  droppedLinksCount: z.literal(0),
  status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
  flags: z.int().optional(),
});
const Traces = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: Resource,
      schemaUrl: z.string().optional(),
      scopeSpans: z.array(
        z.strictObject({ scope: Scope, spans: z.array(Span), schemaUrl: z.string().optional() }),
      ),
    }),
  ),
});
const Point = { attributes: Attributes, startTimeUnixNano: nanos, timeUnixNano: nanos };
const count = z.union([z.int(), z.string().regex(/^\d+$/)]);
const Metric = z.strictObject({
  name: z.string(),
  description: z.string(),
  unit: z.string(),
  histogram: z
    .strictObject({
      aggregationTemporality: z.literal(2),
      dataPoints: z.array(
        z.strictObject({
          ...Point,
          count,
          sum: z.number(),
          min: z.number(),
          max: z.number(),
          bucketCounts: z.array(count),
          explicitBounds: z.array(z.number()),
        }),
      ),
    })
    .optional(),
  sum: z
    .strictObject({
      aggregationTemporality: z.literal(2),
      isMonotonic: z.literal(true),
      dataPoints: z.array(
        z.strictObject({ ...Point, asDouble: z.number().optional(), asInt: count.optional() }),
      ),
    })
    .optional(),
});
const Metrics = z.strictObject({
  resourceMetrics: z.array(
    z.strictObject({
      resource: Resource,
      schemaUrl: z.string().optional(),
      scopeMetrics: z.array(
        z.strictObject({ scope: Scope, metrics: z.array(Metric), schemaUrl: z.string().optional() }),
      ),
    }),
  ),
});
export type Span = z.infer<typeof Span>;
export type Metric = z.infer<typeof Metric>;

/** A collector of OTLP/HTTP on this machine that refuses, and remembers, what is not of the right shape. */
export interface Receiver extends AsyncDisposable {
  readonly endpoint: string;
  readonly spans: Span[];
  /** The newest state of each. */
  readonly metrics: Map<string, Metric>;
  readonly resource: Map<string, unknown>;
  readonly headers: IncomingHttpHeaders[];
  /** What was wrong with what was sent. */
  readonly problems: string[];
}

export const startReceiver = async (): Promise<Receiver> => {
  const spans: Span[] = [];
  const metrics = new Map<string, Metric>();
  const resource = new Map<string, unknown>();
  const headers: IncomingHttpHeaders[] = [];
  const problems: string[] = [];
  const take = (path: string, text: string): void => {
    const json: unknown = JSON.parse(text);
    if (path === '/v1/traces') {
      for (const each of Traces.parse(json).resourceSpans) {
        for (const { key, value } of each.resource.attributes) resource.set(key, plain(value));
        spans.push(...each.scopeSpans.flatMap((scope) => scope.spans));
      }
    } else if (path === '/v1/metrics') {
      for (const each of Metrics.parse(json).resourceMetrics)
        for (const scope of each.scopeMetrics)
          for (const metric of scope.metrics) metrics.set(metric.name, metric);
    } else throw new Error(`A collector has no ${path}.`);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      headers.push(request.headers);
      const body = Buffer.concat(chunks);
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      try {
        if (request.headers['content-type'] !== 'application/json') throw new Error('It is not JSON.');
        take(request.url ?? '', text.toString('utf8'));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      } catch (error) {
        problems.push(
          `${request.url}: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
        );
        response.writeHead(400).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    metrics,
    resource,
    headers,
    problems,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

export const plain = (value: Value): unknown => {
  if ('arrayValue' in value) return value.arrayValue.values.map(plain);
  if ('intValue' in value) return Number(value.intValue);
  return Object.values(value)[0];
};

/** Attributes as a plain object. */
export const attributesOf = (holder: { attributes: Span['attributes'] }): Record<string, unknown> =>
  Object.fromEntries(holder.attributes.map(({ key, value }) => [key, plain(value)]));
