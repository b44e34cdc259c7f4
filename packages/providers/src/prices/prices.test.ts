import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noUsage, type Usage } from '@maestro/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { perToken, toUsd } from './amount.ts';
import { createPrices } from './prices.ts';

const used = (parts: Partial<Usage>): Usage => ({ ...noUsage, ...parts });
const million = used({ request_tokens: 1_000_000, response_tokens: 1_000_000 });

describe('prices of calls', () => {
  it.each([
    ['anthropic', 'claude-3-opus-20240229', used({ request_tokens: 1_000, response_tokens: 1_000 }), '0.09'],
    ['openai', 'gpt-4-turbo', used({ request_tokens: 1_000, response_tokens: 1_000 }), '0.04'],
    ['gemini', 'gemini-1.5-pro-latest', used({ request_tokens: 1_000, response_tokens: 1_000 }), '0.00625'],
    ['gemini', 'gemini-1.5-pro-latest', used({ request_tokens: 200_000 }), '0.5'],
    ['anthropic', 'claude-sonnet-5', used({ request_tokens: 1, response_tokens: 1 }), '0.000012'],
    ['openai_chat', 'gpt-4o-mini', million, '0.75'],
    // The library knows what our table does not.
    ['anthropic', 'claude-3-haiku-20240307', million, '1.5'],
    ['openai', 'gpt-4', used({ request_tokens: 1_000 }), '0.03'],
  ] as const)('%s %s (T2)', (provider, model, usage, usd) => {
    expect(createPrices().cost(provider, model, usage).usd).toBe(usd);
  });

  it('prices cache reads, five-minute and one-hour writes each at its own rate (T2)', () => {
    const usage = used({
      request_tokens: 1_000_000,
      cache_read_tokens: 500_000,
      cache_write_tokens: 200_000,
      cache_write_1h_tokens: 100_000,
    });
    // 200,000 × 2 + 500,000 × 0.2 + 200,000 × 2.5 + 100,000 × 4, per million
    expect(createPrices().cost('anthropic', 'claude-sonnet-5', usage).usd).toBe('1.4');
  });

  it('charges cached tokens as input where they have no price of their own (T2)', () => {
    const usage = used({ request_tokens: 100_000, cache_read_tokens: 50_000 });
    expect(createPrices().cost('openai', 'gpt-5.5-pro', usage).usd).toBe('3');
  });

  it('prices the whole call by its tier once the prompt exceeds it, not at it (T2)', () => {
    const prices = createPrices();
    expect(prices.cost('openai', 'gpt-6-sol', used({ request_tokens: 272_000 })).usd).toBe('0.544');
    expect(prices.cost('openai', 'gpt-6-sol', used({ request_tokens: 272_001 })).usd).toBe('1.088004');
    const output = used({ request_tokens: 300_000, response_tokens: 1_000 });
    expect(prices.cost('openai', 'gpt-6-sol', output).usd).toBe('1.215');
  });

  it('says unknown, never 0, for what nobody prices; what runs here costs nothing (T2)', () => {
    const prices = createPrices();
    expect(prices.cost('openai', 'nobody-knows-it', million).usd).toBeNull();
    expect(prices.cost('compatible', 'gpt-4.1', million).usd).toBeNull();
    expect(prices.cost('ollama', 'qwen3:8b', million)).toEqual({ usd: '0', price_revision: 'local' });
    // Ollama passes these on to the machines of others.
    for (const model of ['gpt-oss:120b-cloud', 'glm-4.6:cloud'])
      expect(prices.cost('ollama', model, million).usd).toBeNull();
  });

  it.each([
    ['none', 'http://127.0.0.1:11434', '0'],
    ['none', 'http://gpu.lan:11434', '0'],
    // A key that stands in front of one's own.
    ['api_key', 'http://localhost:8080', '0'],
    ['api_key', 'https://ollama.com', null],
    ['api_key', 'https://models.example/ollama', null],
  ] as const)(
    'an Ollama with %s at %s costs %s: who asks for a key may ask for money (T2, T4)',
    (auth_type, base_url, usd) => {
      const cost = createPrices().cost('ollama', 'gpt-oss:120b', million, { auth_type, base_url });
      expect(cost.usd).toBe(usd);
    },
  );

  it('names the revision of the prices it used (T2)', () => {
    const prices = createPrices();
    expect(prices.cost('openai', 'gpt-5', million).price_revision).toBe('table 2026-11-21');
    expect(prices.cost('openai', 'gpt-4', million).price_revision).toMatch(/^@pydantic\/genai-prices \d/);
  });
});

describe("a person's own price file", () => {
  let folder: string;
  let file: string;
  let problems: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'prices-'));
    file = join(folder, 'prices.json');
    problems = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  let writes = 0;
  const write = (content: unknown) => {
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    writes += 1;
    utimesSync(file, 1_000 + writes, 1_000 + writes);
  };
  const prices = () => createPrices({ file, report: (problem) => problems.push(problem) });
  const row = (more: object) => ({
    provider: 'compatible',
    id: 'house-model',
    input: '0.3',
    output: 0.9,
    ...more,
  });

  it('is above the table and prices what nobody else does, exactly (T2)', () => {
    write({ models: [row({}), row({ provider: 'openai', id: 'gpt-5', input: 100, output: 100 })] });
    const own = prices();
    expect(own.cost('compatible', 'house-model', used({ request_tokens: 1 })).usd).toBe('0.0000003');
    expect(own.cost('openai', 'gpt-5', million)).toEqual({
      usd: '200',
      price_revision: expect.stringMatching(/^prices\.json [0-9a-f]{12}$/),
    });
    expect(problems).toEqual([]);
  });

  it('is read again when it changes', () => {
    write({ models: [row({})] });
    const own = prices();
    expect(own.cost('compatible', 'house-model', million).usd).toBe('1.2');
    write({ models: [row({ input: 1, tiers: [{ above: 10, input: 2, output: 2 }] })] });
    expect(own.cost('compatible', 'house-model', million).usd).toBe('4');
  });

  it.each([
    ['{', 'cannot be read'],
    [{ models: [{ provider: 'openai', id: 'x', input: 'dear', output: 1 }] }, 'models[0].input'],
    [{ models: [{ provider: 'nobody', id: 'x', input: 1, output: 1 }] }, 'models[0].provider'],
  ])('is reported once in words when it is bad, and the prices before it stay: %j (Q2)', (bad, words) => {
    write({ models: [row({})] });
    const own = prices();
    expect(own.cost('compatible', 'house-model', million).usd).toBe('1.2');
    write(bad);
    expect(own.cost('compatible', 'house-model', million).usd).toBe('1.2');
    expect(own.cost('compatible', 'house-model', million).usd).toBe('1.2');
    expect(problems).toEqual([expect.stringContaining(words)]);
  });

  it('is looked at when the server starts, so that what is wrong is told before the first call (Q2)', () => {
    write('{');
    prices();
    expect(problems).toEqual([expect.stringContaining('cannot be read')]);
  });

  it('may be absent', () => {
    expect(prices().cost('openai', 'gpt-5', million).usd).toBe('11.25');
    expect(problems).toEqual([]);
  });
});

describe('exact amounts', () => {
  it('writes and reads decimals without loss (T2)', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), fc.nat({ max: 999_999 }), (whole, millionths) => {
        const text = `${whole}.${String(millionths).padStart(6, '0')}`;
        const amount = perToken(text);
        expect(amount).toBe(BigInt(whole) * 10n ** 12n + BigInt(millionths) * 10n ** 6n);
        expect(Number(toUsd((amount ?? 0n) * 1_000_000n))).toBe(Number(text));
      }),
    );
  });

  it.each([
    ['1e-7', 100_000n],
    [1e-7, 100_000n],
    ['x', undefined],
    ['-1', undefined],
    ['1e-13', undefined],
    ['1e999999999', undefined],
  ])('reads %s as %s', (price, amount) => expect(perToken(price)).toBe(amount));
});
