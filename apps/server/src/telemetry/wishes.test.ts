import { describe, expect, it } from 'vitest';
import { readWishes } from './wishes.ts';

describe('what the OpenTelemetry variables ask for (Q5)', () => {
  it.each([{}, { OTEL_EXPORTER_OTLP_PROTOCOL: '' }, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }])(
    'is done without a word: %j',
    (env) => expect(readWishes(env)).toEqual({ send: true }),
  );

  it('is told where another form is sent', () => {
    const { send, words } = readWishes({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' });
    expect(send).toBe(true);
    expect(words).toContain('http/json is sent');
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'is grpc, which is not spoken here'],
    [{ OTEL_SDK_DISABLED: 'TRUE' }, 'so nothing is sent'],
  ])('ends it where it must: %j', (env, words) => {
    const wish = readWishes(env);
    expect(wish.send).toBe(false);
    expect(wish.words).toContain(words);
  });
});
