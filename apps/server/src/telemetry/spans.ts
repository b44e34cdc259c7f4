import type { ProviderCallFacts, ProviderEvent } from '@maestro/ports';
import type { ProviderId, TurnId } from '@maestro/protocol';
import {
  type Attributes,
  type Context,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { TelemetrySink } from './sink.ts';

/** Names of the vendors in the GenAI semantic conventions; others have none and keep our own. */
const vendorNames: Readonly<Record<ProviderId, string>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  openai_chat: 'openai',
  gemini: 'gcp.gemini',
  ollama: 'ollama',
  compatible: 'openai_compatible',
  claude_code: 'claude_code',
  acp: 'acp',
};

/** Bucket boundaries that the conventions ask for. */
const token_buckets = [
  1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
];
const call_buckets_s = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const http_buckets_s = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * The engine's work as spans and metrics of the GenAI semantic conventions: a message is `invoke_agent`, below it
 * `chat` for each provider call and `execute_tool` for each run. No words of a conversation are sent, but those of errors.
 */
export const createSpans = (tracer: Tracer, meter: Meter): TelemetrySink => {
  const turns = new Map<TurnId, Context>();
  const below = (turn: TurnId): Context => turns.get(turn) ?? ROOT_CONTEXT;

  const histogram = (name: string, unit: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries } });
  const tokens = histogram(
    'gen_ai.client.token.usage',
    '{token}',
    'Tokens of a provider call',
    token_buckets,
  );
  const duration = histogram(
    'gen_ai.client.operation.duration',
    's',
    'Duration of an operation',
    call_buckets_s,
  );
  const firstChunk = histogram(
    'gen_ai.client.operation.time_to_first_chunk',
    's',
    'From the request to the first words of the answer',
    call_buckets_s,
  );
  const requests = histogram(
    'http.server.request.duration',
    's',
    'Duration of an API request',
    http_buckets_s,
  );
  const retries = meter.createCounter('maestro.provider.retries', {
    unit: '{retry}',
    description: 'Requests sent again',
  });

  return {
    request: ({ method, route, status, ms }) =>
      requests.record(ms / 1000, {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
        ...(status >= 500 && { 'error.type': String(status) }),
      }),

    turn: ({ session_id, turn_id, agent_name, provider, model }) => {
      const common = {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.provider.name': vendorNames[provider],
        'gen_ai.request.model': model,
      };
      const span = tracer.startSpan(
        `invoke_agent ${agent_name}`,
        {
          kind: SpanKind.INTERNAL,
          attributes: {
            ...common,
            'gen_ai.agent.name': agent_name,
            'gen_ai.conversation.id': session_id,
            'maestro.turn.id': turn_id,
          },
        },
        ROOT_CONTEXT,
      );
      turns.set(turn_id, trace.setSpan(ROOT_CONTEXT, span));
      const elapsed = stopwatch();
      return ({ status, cause, reason, steps }) => {
        turns.delete(turn_id);
        span.setAttributes({ 'maestro.turn.status': status, 'maestro.turn.steps': steps });
        const failed = status === 'failed' && cause !== null;
        if (failed) fail(span, cause, reason ?? cause);
        duration.record(elapsed(), { ...common, ...(failed && { 'error.type': cause }) });
        span.end();
      };
    },

    providerCall: (facts) => {
      const common = {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': vendorNames[facts.provider],
        'gen_ai.request.model': facts.model,
        ...serverOf(facts),
      };
      const span = tracer.startSpan(
        `chat ${facts.model}`,
        { kind: SpanKind.CLIENT, attributes: { ...common, 'gen_ai.conversation.id': facts.session_id } },
        below(facts.turn_id),
      );
      const elapsed = stopwatch();
      let heard = false;
      const ended = (event: Extract<ProviderEvent, { type: 'done' | 'error' }>): void => {
        const seconds = elapsed();
        const { usage } = event;
        if (usage) {
          span.setAttributes({
            'gen_ai.usage.input_tokens': usage.request_tokens,
            'gen_ai.usage.output_tokens': usage.response_tokens,
            'gen_ai.usage.cache_read.input_tokens': usage.cache_read_tokens,
            'gen_ai.usage.cache_creation.input_tokens': usage.cache_write_tokens,
            'maestro.usage.estimated': usage.estimated,
          });
          tokens.record(usage.request_tokens, { ...common, 'gen_ai.token.type': 'input' });
          tokens.record(usage.response_tokens, { ...common, 'gen_ai.token.type': 'output' });
        }
        if (event.type === 'done') {
          span.setAttribute('gen_ai.response.finish_reasons', [event.stop_raw ?? event.stop]);
          duration.record(seconds, common);
        } else {
          const { cause, message, status } = event.error;
          if (status !== undefined) span.setAttribute('http.response.status_code', status);
          // What a person stopped is no failure.
          if (cause === 'aborted') span.setAttribute('maestro.stopped', true);
          else fail(span, cause, message);
          duration.record(seconds, { ...common, 'error.type': cause });
        }
        span.end();
      };
      return (event) => {
        switch (event.type) {
          case 'delta':
            if (heard) return;
            heard = true;
            firstChunk.record(elapsed(), common);
            return;
          case 'start':
            if (event.model !== null) span.setAttribute('gen_ai.response.model', event.model);
            return;
          case 'retry':
            retries.add(1, { ...common, 'error.type': event.error.cause });
            span.addEvent('maestro.retry', {
              'error.type': event.error.cause,
              'maestro.retry.attempt': event.attempt,
              'maestro.retry.wait_ms': event.wait_ms,
            });
            return;
          case 'done':
          case 'error':
            ended(event);
            return;
        }
      };
    },

    toolRun: ({ session_id, turn_id, call_id, name }) => {
      const common = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name };
      const attributes = {
        ...common,
        'gen_ai.tool.call.id': call_id,
        'gen_ai.tool.type': 'function',
        'gen_ai.conversation.id': session_id,
      };
      const span = tracer.startSpan(
        `execute_tool ${name}`,
        { kind: SpanKind.INTERNAL, attributes },
        below(turn_id),
      );
      const elapsed = stopwatch();
      return ({ status, error }) => {
        const failed = status === 'failed';
        span.setAttribute('maestro.tool.status', status);
        // The first line only: what follows may be what a command printed.
        if (failed) fail(span, 'tool_error', (error ?? '').split('\n', 1)[0] ?? '');
        duration.record(elapsed(), { ...common, ...(failed && { 'error.type': 'tool_error' }) });
        span.end();
      };
    },
  };
};

const stopwatch = (): (() => number) => {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
};

const fail = (span: Span, type: string, message: string): void => {
  const short = message.slice(0, 500);
  span.setAttribute('error.type', type);
  span.addEvent('exception', { 'exception.type': type, 'exception.message': short });
  span.setStatus({ code: SpanStatusCode.ERROR, message: short });
};

const serverOf = ({ base_url }: ProviderCallFacts): Attributes => {
  const url = URL.parse(base_url);
  if (!url) return {};
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { 'server.address': url.hostname, 'server.port': port };
};
