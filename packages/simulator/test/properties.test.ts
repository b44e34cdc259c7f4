import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../src/index.ts';
import { PromptCache } from '../src/prompt-cache.ts';
import { Scheduler } from '../src/scheduler.ts';
import { countTokens, pieces } from '../src/tokens.ts';
import { eventsOf, KEYS, linesOf, post } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

const text = fc.string({ unit: 'grapheme', maxLength: 300 });

it('pieces join to the text, cut no character, and are as long as asked but for a whole character', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 20 }), (whole, tokens) => {
      const parts = [...pieces(whole, tokens)];
      expect(parts.join('')).toBe(whole);
      for (const part of parts) {
        expect(part.isWellFormed()).toBe(true);
        expect(part.length).toBeLessThanOrEqual(tokens * 4 + 1);
        expect(countTokens(part)).toBeGreaterThan(0);
      }
    }),
  );
});

it('any text arrives whole over SSE and NDJSON, however its bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      async (whole, tokens_per_chunk, write_bytes) => {
        simulator.script(
          [1, 2].map(() => ({ steps: [{ type: 'text', text: whole }], tokens_per_chunk, write_bytes })),
        );
        const messages = [{ role: 'user', content: 'x' }];
        const chat = await post(
          `${simulator.base('openai_chat')}/chat/completions`,
          { model: 'gpt-5', stream: true, messages },
          KEYS.openai,
        );
        expect(
          eventsOf(chat.text)
            .map(({ data }) => data.choices?.[0]?.delta.content ?? '')
            .join(''),
        ).toBe(whole);
        const ollama = await post(
          `${simulator.base('ollama')}/api/chat`,
          { model: 'qwen3:8b', messages },
          KEYS.none,
        );
        expect(
          linesOf(ollama.text)
            .map(({ message }) => message.content)
            .join(''),
        ).toBe(whole);
      },
    ),
    { numRuns: 40 },
  );
});

it('cache reads and writes never overlap and never exceed the prompt', () => {
  const segment = fc.record({
    text: fc.constantFrom('a', 'b', 'c'),
    tokens: fc.integer({ min: 1, max: 900 }),
    mark: fc.constantFrom(undefined, '5m' as const, '1h' as const),
  });
  const cache = fc.constantFrom(
    'marks' as const,
    'implicit' as const,
    'implicit_writes' as const,
    'none' as const,
  );
  const prompts = fc.array(fc.array(segment, { maxLength: 8 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(prompts, cache, (list, kind) => {
      const held = new PromptCache();
      for (const segments of list) {
        const { total, read, write, write_1h } = held.measure({ ...PROMPT, segments, cache: kind });
        expect(total).toBe(segments.reduce((sum, { tokens }) => sum + tokens, 0));
        expect(Math.min(read, write, write_1h)).toBeGreaterThanOrEqual(0);
        expect(read + write).toBeLessThanOrEqual(total);
        expect(write_1h).toBeLessThanOrEqual(write);
      }
    }),
  );
});

const PROMPT = {
  wire: 'anthropic',
  compatible: false,
  model: 'claude-sonnet-5',
  system: '',
  turns: [],
  tools: [],
  max_output_tokens: null,
  thoughts: 'none',
  delivery: 'sse',
  wants_usage: true,
  wants_encrypted: true,
} as const;

it('one timer runs everything in order, never early, and nothing that was cancelled', async () => {
  const scheduler = new Scheduler();
  const start = performance.now();
  const ran: number[] = [];
  await new Promise<void>((resolve) => {
    for (const ms of [30, 5, 20, 5, 10]) scheduler.at(start + ms, () => void ran.push(ms));
    scheduler.at(start + 15, () => void ran.push(15))();
    scheduler.at(start + 40, resolve);
  });
  expect(performance.now() - start).toBeGreaterThanOrEqual(40);
  expect(ran).toEqual([5, 5, 10, 20, 30]);
  scheduler.close();
});
