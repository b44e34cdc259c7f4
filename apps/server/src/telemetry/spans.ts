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
import { cacheWrites, createInstruments } from './instruments.ts';
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

interface OpenTurn {
  readonly span: Span;
  readonly context: Context;
  /** By the account of an agent of another program. */
  used: { input: number; output: number } | undefined;
}

/**
 * The engine's work as spans and metrics of the GenAI semantic conventions 0.1.0: a message is `invoke_agent`, below it
 * `chat` for each provider call and `execute_tool` for each run. The calls of an agent of another program are not seen
 * here: what it says it used stands on its `invoke_agent`. No words of a conversation are sent, but those of errors.
 */
export const createSpans = (tracer: Tracer, meter: Meter): TelemetrySink => {
  const turns = new Map<TurnId, OpenTurn>();
  const below = (turn: TurnId): Context => turns.get(turn)?.context ?? ROOT_CONTEXT;
  const measure = createInstruments(meter);

  return {
    request: ({ method, route, status, ms }) =>
      measure.request.record(ms / 1000, {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
        ...(status >= 500 && { 'error.type': String(status) }),
      }),

    turn: ({ session_id, turn_id, agent_name, model }) => {
      const common = {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': agent_name,
        'gen_ai.request.model': model,
      };
      const span = tracer.startSpan(
        `invoke_agent ${agent_name}`,
        {
          kind: SpanKind.INTERNAL,
          attributes: {
            ...common,
            'gen_ai.conversation.id': session_id,
            'maestro.turn.id': turn_id,
          },
        },
        ROOT_CONTEXT,
      );
      const open: OpenTurn = { span, context: trace.setSpan(ROOT_CONTEXT, span), used: undefined };
      turns.set(turn_id, open);
      const elapsed = stopwatch();
      return ({ status, cause, reason, steps }) => {
        turns.delete(turn_id);
        span.setAttributes({ 'maestro.turn.status': status, 'maestro.turn.steps': steps });
        if (open.used)
          span.setAttributes({
            'gen_ai.usage.input_tokens': open.used.input,
            'gen_ai.usage.output_tokens': open.used.output,
          });
        const failed = status === 'failed' && cause !== null;
        if (failed) fail(span, cause, reason ?? cause);
        measure.turn.record(elapsed(), { ...common, ...(failed && { 'error.type': cause }) });
        span.end();
      };
    },

    agentUsage: ({ turn_id, provider, model, usage }) => {
      measure.count(usage, {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.provider.name': vendorNames[provider],
        'gen_ai.request.model': model,
      });
      const open = turns.get(turn_id);
      if (!open) return;
      const { input, output } = open.used ?? { input: 0, output: 0 };
      open.used = { input: input + usage.request_tokens, output: output + usage.response_tokens };
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
        {
          kind: SpanKind.CLIENT,
          attributes: {
            ...common,
            'gen_ai.conversation.id': facts.session_id,
            'gen_ai.request.stream': true,
          },
        },
        below(facts.turn_id),
      );
      const elapsed = stopwatch();
      let first_chunk_s: number | undefined;
      const ended = (event: Extract<ProviderEvent, { type: 'done' | 'error' }>): void => {
        const seconds = elapsed();
        const { usage } = event;
        if (usage) {
          span.setAttributes({
            'gen_ai.usage.input_tokens': usage.request_tokens,
            'gen_ai.usage.output_tokens': usage.response_tokens,
            'gen_ai.usage.cache_read.input_tokens': usage.cache_read_tokens,
            'gen_ai.usage.cache_write.input_tokens': cacheWrites(usage),
            'gen_ai.usage.reasoning.output_tokens': usage.reasoning_tokens,
            'maestro.usage.estimated': usage.estimated,
          });
          measure.count(usage, common);
        }
        if (event.type === 'done') {
          span.setAttribute('gen_ai.response.finish_reasons', [event.stop_raw ?? event.stop]);
          measure.call.record(seconds, common);
        } else {
          const { cause, message, status } = event.error;
          if (status !== undefined) span.setAttribute('http.response.status_code', status);
          // What a person stopped is no failure.
          if (cause === 'aborted') span.setAttribute('maestro.stopped', true);
          else fail(span, cause, message);
          measure.call.record(seconds, { ...common, 'error.type': cause });
        }
        span.end();
      };
      return (event) => {
        switch (event.type) {
          case 'delta':
            if (first_chunk_s !== undefined) return;
            first_chunk_s = elapsed();
            measure.first_chunk.record(first_chunk_s, common);
            span.setAttribute('gen_ai.response.time_to_first_chunk', first_chunk_s);
            return;
          case 'start':
            if (event.model !== null) span.setAttribute('gen_ai.response.model', event.model);
            return;
          case 'retry':
            measure.retries.add(1, { ...common, 'error.type': event.error.cause });
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
        measure.tool.record(elapsed(), { ...common, ...(failed && { 'error.type': 'tool_error' }) });
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
