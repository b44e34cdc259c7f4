import { newId, noUsage, type SessionId, type TurnId } from '@maestro/protocol';
import { createNoopMeter } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { createSpans } from './spans.ts';

const ids = { session_id: newId<SessionId>('ses'), turn_id: newId<TurnId>('trn') };
const started = () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return {
    sink: createSpans(provider.getTracer('test'), createNoopMeter()),
    spans: async () => {
      await provider.forceFlush();
      return exporter.getFinishedSpans();
    },
  };
};
const over = { status: 'done', cause: null, reason: null, steps: 1 } as const;

describe('spans of the GenAI conventions (Q5)', () => {
  it('count a write to a cache for an hour with those for five minutes', async () => {
    const { sink, spans } = started();
    const usage = {
      ...noUsage,
      request_tokens: 1000,
      response_tokens: 50,
      cache_write_tokens: 300,
      cache_write_1h_tokens: 200,
      reasoning_tokens: 20,
    };
    const call = { ...ids, provider: 'anthropic', model: 'm', base_url: 'https://x.test' } as const;
    sink.providerCall(call)({
      type: 'error',
      error: { cause: 'aborted', message: '' },
      usage,
      response: null,
      exchange: null,
    });
    const [span] = await spans();
    expect(span?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.cache_write.input_tokens': 500,
      'gen_ai.usage.reasoning.output_tokens': 20,
      'server.address': 'x.test',
    });
  });

  it("hold what an agent of another program says it used on its turn's span, all its models together", async () => {
    const { sink, spans } = started();
    const end = sink.turn({ ...ids, agent_name: 'a', provider: 'claude_code', model: 'opus' });
    for (const model of ['opus', 'haiku'])
      sink.agentUsage({
        turn_id: ids.turn_id,
        provider: 'claude_code',
        model,
        usage: { ...noUsage, request_tokens: 100, response_tokens: 7 },
      });
    end(over);
    // Long over: nothing of it is kept.
    sink.agentUsage({ turn_id: ids.turn_id, provider: 'claude_code', model: 'opus', usage: noUsage });
    const [span] = await spans();
    expect(span?.name).toBe('invoke_agent a');
    expect(span?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 200,
      'gen_ai.usage.output_tokens': 14,
    });
  });
});
