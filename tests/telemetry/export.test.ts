import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHouse } from '../support/house.ts';
import { startTestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { attributesOf, startReceiver } from './support/receiver.ts';

/** The files a server had loaded when it ended. */
const loadedFiles = (folder: string): string[] => {
  const urls = readdirSync(folder).flatMap((name): string[] => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  return urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
};
const holdsTelemetry = (file: string): boolean =>
  readFileSync(file, 'utf8').includes('node_modules/@opentelemetry/');

describe('OpenTelemetry (Q5)', () => {
  it('sends a message, its provider calls and its tool runs as one trace, with the figures as metrics', async () => {
    await using receiver = await startReceiver();
    const seen = temporaryFolder('loaded');
    onTestFinished(() => removeFolder(seen));
    {
      await using house = await startHouse({
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
          OTEL_EXPORTER_OTLP_HEADERS: 'x-team=blue',
          OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
          NODE_V8_COVERAGE: seen,
        },
      });
      const session = await house.session({
        provider: 'anthropic',
        model: 'claude-sonnet-5',
        working_directory: house.folder({ 'input.txt': 'secret words' }),
      });
      await house.ask(session.id, 'read input.txt');
      await house.ask(session.id, 'read missing.txt');
      house.simulator.script([{ failure: { kind: 'auth' } }]);
      await house.ask(session.id, 'once more');
      const stats = await house.client.serverStats();
      expect(stats.auth_success_rate).toBeLessThan(1);
      expect(stats.tool_success_rate).toBe(0.5);
      expect(stats.core_success_rate).toBe(1);
      expect(stats.api_p95_ms).toBeGreaterThan(0);
    }
    expect(receiver.problems).toEqual([]);
    expect(receiver.headers[0]?.['x-team']).toBe('blue');
    expect(Object.fromEntries(receiver.resource)).toMatchObject({
      'service.name': 'maestro',
      'deployment.environment.name': 'test',
    });

    const turns = receiver.spans.filter(({ name }) => name === 'invoke_agent assistant');
    expect(turns).toHaveLength(3);
    const [first, second, third] = turns;
    if (!first || !second || !third) throw new Error('Three turns were run.');
    expect(first.parentSpanId).toBeUndefined();
    expect(attributesOf(first)).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'assistant',
      'gen_ai.request.model': 'claude-sonnet-5',
      'maestro.turn.status': 'done',
      'maestro.turn.steps': 2,
    });
    const below = receiver.spans.filter(({ parentSpanId }) => parentSpanId === first.spanId);
    expect(below.map(({ name, kind }) => [name, kind])).toEqual([
      ['chat claude-sonnet-5', 3],
      ['execute_tool read_file', 1],
      ['chat claude-sonnet-5', 3],
    ]);
    for (const span of below) {
      expect(span.traceId).toBe(first.traceId);
      expect(BigInt(span.startTimeUnixNano)).toBeLessThanOrEqual(BigInt(span.endTimeUnixNano));
      expect(BigInt(span.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(first.endTimeUnixNano));
    }
    const [call, run] = below;
    if (!call || !run) throw new Error('A call and a run were made.');
    expect(attributesOf(call)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.stream': true,
      'gen_ai.response.finish_reasons': ['tool_use'],
      'server.address': '127.0.0.1',
      'maestro.usage.estimated': false,
    });
    expect(attributesOf(call)['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
    expect(attributesOf(call)['gen_ai.usage.output_tokens']).toBeGreaterThan(0);
    expect(attributesOf(call)['gen_ai.response.model']).toBeTypeOf('string');
    expect(attributesOf(run)).toMatchObject({
      'gen_ai.tool.name': 'read_file',
      'gen_ai.tool.type': 'function',
      'maestro.tool.status': 'done',
    });

    const failedRun = receiver.spans.find(
      ({ name, parentSpanId }) => name.startsWith('execute_tool') && parentSpanId === second.spanId,
    );
    expect(failedRun?.status.code).toBe(2);
    expect(failedRun?.events.map(({ name }) => name)).toEqual(['exception']);

    expect(third.status.code).toBe(2);
    expect(attributesOf(third)['error.type']).toBe('auth');
    const refused = receiver.spans.find(({ parentSpanId }) => parentSpanId === third.spanId);
    if (!refused) throw new Error('The refused call has no span.');
    expect(attributesOf(refused)).toMatchObject({ 'error.type': 'auth', 'http.response.status_code': 401 });
    expect(refused.events.map((event) => [event.name, attributesOf(event)['exception.type']])).toEqual([
      ['exception', 'auth'],
    ]);

    const points = (name: string): (Record<string, unknown> & { count: number })[] =>
      (receiver.metrics.get(name)?.histogram?.dataPoints ?? []).map((point) => ({
        ...attributesOf(point),
        count: Number(point.count),
      }));
    const used = (name: string): number =>
      Number(receiver.metrics.get(`gen_ai.client.inference.usage.${name}`)?.sum?.dataPoints[0]?.asDouble);
    const sumOf = (attribute: string): number =>
      receiver.spans.reduce((sum, span) => sum + Number(attributesOf(span)[attribute] ?? 0), 0);
    expect(used('input_tokens')).toBe(sumOf('gen_ai.usage.input_tokens'));
    expect(used('output_tokens')).toBe(sumOf('gen_ai.usage.output_tokens'));
    expect(used('cache_write.input_tokens')).toBe(sumOf('gen_ai.usage.cache_write.input_tokens'));
    const calls = points('gen_ai.client.inference.duration');
    expect(calls.map((point) => point['gen_ai.operation.name'])).toContain('chat');
    expect(calls.map((point) => point['error.type'])).toContain('auth');
    expect(points('gen_ai.invoke_agent.duration').map((point) => point.count)).toEqual([2, 1]);
    expect(points('gen_ai.execute_tool.duration')).toHaveLength(2);
    expect(points('gen_ai.client.inference.time_to_first_chunk')).not.toEqual([]);
    expect(points('http.server.request.duration').map((point) => point['http.route'])).toContain(
      '/api/v1/sessions/:session_id/messages',
    );

    // No words of the conversation leave: neither what was asked, nor what a file holds, nor a key.
    const sent = JSON.stringify([receiver.spans, [...receiver.metrics]]);
    for (const words of ['secret words', 'once more', 'read input.txt', 'sk-ant-test-key'])
      expect(sent).not.toContain(words);
    expect(loadedFiles(seen).some(holdsTelemetry)).toBe(true);
  });

  it('loads nothing of it where no endpoint is named', async () => {
    const seen = temporaryFolder('loaded');
    onTestFinished(() => removeFolder(seen));
    {
      await using house = await startHouse({ env: { NODE_V8_COVERAGE: seen } });
      await house.ask((await house.session()).id, 'say hello');
      expect((await house.client.serverStats()).auth_success_rate).toBe(1);
    }
    const files = loadedFiles(seen);
    expect(files.some((file) => file.endsWith('main.mjs'))).toBe(true);
    expect(files.filter(holdsTelemetry)).toEqual([]);
  });

  it('lets the server work and stop although the collector takes everything and answers nothing', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const started = await startTestServer({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_METRIC_EXPORT_INTERVAL: '100' },
    });
    expect((await started.fetch('/api/v1/server/stats')).status).toBe(200);
    await started.stop();
    expect(started.stderr()).toContain('telemetry not sent');
  });
});
