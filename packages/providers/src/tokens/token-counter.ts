import { setImmediate } from 'node:timers/promises';
import type { TokenCounter } from '@maestro/ports';
import type { ProviderId } from '@maestro/protocol';
import { pieces } from './pieces.ts';

type Encoding = 'o200k_base' | 'cl100k_base';
type Count = (text: string) => number;

/** Models of OpenAI from before GPT-4o. */
const older = /^(?:gpt-4(?![o.]|-?[5-9])|gpt-3\.5)/;

/**
 * Anthropic publishes no tokenizer; measured on English text its models use 16 % more tokens than OpenAI's (and more on
 * code): "Hidden costs in AI deployment", VentureBeat, May 2025. The other vendors' are near OpenAI's newer one.
 */
const anthropicFactor = 1.16;

const load = async (encoding: Encoding): Promise<Count> => {
  const module =
    encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base');
  // Words like `<|endoftext|>` inside a text are text.
  return (text) => module.countTokens(text, { disallowedSpecial: new Set() });
};

/**
 * Counts by the tokenizer of the model's family, rounded up: an estimate. Loads the tokenizer at the first question
 * and gives other work its turn between pieces of a long text.
 */
export const createTokenCounter = (): TokenCounter => {
  const loaded = new Map<Encoding, Promise<Count>>();
  const counter = (encoding: Encoding): Promise<Count> => {
    const known = loaded.get(encoding);
    if (known !== undefined) return known;
    const loading = load(encoding);
    loaded.set(encoding, loading);
    return loading;
  };
  return {
    count: async (provider, model, text) => {
      if (text === '') return 0;
      const countPiece = await counter(encodingOf(provider, model));
      let sum = 0;
      let first = true;
      for (const piece of pieces(text)) {
        if (!first) await setImmediate();
        first = false;
        sum += countPiece(piece);
      }
      return Math.ceil(sum * (provider === 'anthropic' ? anthropicFactor : 1));
    },
  };
};

const encodingOf = (provider: ProviderId, model: string): Encoding =>
  (provider === 'openai' || provider === 'openai_chat') && older.test(model) ? 'cl100k_base' : 'o200k_base';
