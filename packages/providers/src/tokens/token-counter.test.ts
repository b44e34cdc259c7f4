import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pieces } from './pieces.ts';
import { createTokenCounter } from './token-counter.ts';

const counter = createTokenCounter();
const sentence = 'The quick brown fox jumps over the lazy dog. ';

describe('counted tokens', () => {
  it.each([
    ['openai', 'gpt-5', 'Hello, world!', 4],
    ['openai', 'gpt-4', 'Hello, world!', 4],
    ['gemini', 'gemini-3.8-flash', 'Hello, world!', 4],
    ['anthropic', 'claude-sonnet-5', 'Hello, world!', 5],
    ['ollama', 'qwen3:8b', '', 0],
  ] as const)('%s %s “%s” is %i (T3)', async (provider, model, text, count) => {
    expect(await counter.count(provider, model, text)).toBe(count);
  });

  it('reads special words of the tokenizer as text', async () => {
    expect(await counter.count('openai', 'gpt-5', '<|endoftext|>')).toBeGreaterThan(1);
  });

  it('counts a long text in pieces as it would in one, within half a percent (T3)', async () => {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    const text = sentence.repeat(3_000);
    const whole = countTokens(text);
    const counted = await counter.count('openai', 'gpt-5', text);
    expect(counted).toBeGreaterThanOrEqual(whole);
    expect(counted).toBeLessThan(whole * 1.005);
  });

  it('lets other work in between while it counts', async () => {
    await counter.count('openai', 'gpt-5', 'warm');
    let turns = 0;
    let counting = true;
    const other = (async () => {
      while (counting) {
        turns += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await counter.count('openai', 'gpt-5', sentence.repeat(10_000));
    counting = false;
    await other;
    expect(turns).toBeGreaterThan(50);
  });
});

describe('pieces of a text', () => {
  it('are the text again, none too long and no letter cut in two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('😀'.repeat(3_000)))),
        (parts) => {
          const text = parts.join(' ');
          const cut = [...pieces(text)];
          expect(cut.join('')).toBe(text);
          for (const piece of cut) {
            expect(piece.length).toBeLessThanOrEqual(4_000);
            if (text.isWellFormed()) expect(piece.isWellFormed()).toBe(true);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
