import type { Usage } from '@maestro/protocol';
import type { Attributes, Meter } from '@opentelemetry/api';

/** Bucket boundaries that the conventions ask for, s. */
const call_buckets_s = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const http_buckets_s = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Input tokens that were written to a cache, for whatever time. */
export const cacheWrites = (usage: Usage): number => usage.cache_write_tokens + usage.cache_write_1h_tokens;

/** The metrics, by their names in the semantic conventions. */
export const createInstruments = (meter: Meter) => {
  const seconds = (name: string, description: string, explicitBucketBoundaries = call_buckets_s) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  const tokens = (kind: string, description: string) =>
    meter.createCounter(`gen_ai.client.inference.usage.${kind}`, { unit: '{token}', description });

  const input = tokens('input_tokens', 'Input tokens, cached ones too');
  const output = tokens('output_tokens', 'Output tokens, those of thoughts too');
  const read = tokens('cache_read.input_tokens', 'Input tokens read from a cache');
  const written = tokens('cache_write.input_tokens', 'Input tokens written to a cache');
  const reasoning = tokens('reasoning.output_tokens', 'Output tokens of thoughts');

  return {
    call: seconds('gen_ai.client.inference.duration', 'Duration of a provider call'),
    first_chunk: seconds(
      'gen_ai.client.inference.time_to_first_chunk',
      'From the request to the first words of the answer',
    ),
    turn: seconds('gen_ai.invoke_agent.duration', 'Duration of a turn'),
    tool: seconds('gen_ai.execute_tool.duration', 'Duration of a tool run'),
    request: seconds('http.server.request.duration', 'Duration of an API request', http_buckets_s),
    retries: meter.createCounter('maestro.provider.retries', {
      unit: '{retry}',
      description: 'Requests sent again',
    }),
    count: (usage: Usage, of: Attributes): void => {
      // No provider says which of them were text and which images.
      const attributes = { ...of, 'gen_ai.token.modality': 'unknown' };
      input.add(usage.request_tokens, attributes);
      output.add(usage.response_tokens, attributes);
      read.add(usage.cache_read_tokens, attributes);
      written.add(cacheWrites(usage), attributes);
      reasoning.add(usage.reasoning_tokens, attributes);
    },
  };
};
