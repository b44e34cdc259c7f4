import type { WireId } from './conversation.ts';

/** What a model takes. The lists are the vendors' of 2026-11. */
export interface SimModel {
  readonly id: string;
  readonly context: number;
  readonly max_output: number;
  readonly reasoning: boolean;
  readonly tools: boolean;
  readonly images: boolean;
}

const model = (id: string, context: number, max_output: number, reasoning = true): SimModel => ({
  id,
  context,
  max_output,
  reasoning,
  tools: true,
  images: true,
});

const anthropic = [
  model('claude-fable-5-1', 1_000_000, 128_000),
  model('claude-fable-5', 1_000_000, 128_000),
  model('claude-opus-5-5', 1_000_000, 128_000),
  model('claude-opus-5', 1_000_000, 128_000),
  model('claude-opus-4-8', 1_000_000, 128_000),
  model('claude-opus-4-7', 1_000_000, 128_000),
  model('claude-opus-4-6', 1_000_000, 128_000),
  model('claude-opus-4-5', 200_000, 64_000),
  model('claude-sonnet-5', 1_000_000, 128_000),
  model('claude-sonnet-4-6', 1_000_000, 128_000),
  model('claude-sonnet-4-5', 200_000, 64_000),
  model('claude-haiku-4-5', 200_000, 64_000),
];
const openai = [
  model('gpt-6-astra', 1_050_000, 128_000),
  model('gpt-6-sol', 1_050_000, 128_000),
  model('gpt-6-luna', 1_050_000, 128_000),
  model('gpt-5.6-sol', 1_050_000, 128_000),
  model('gpt-5.5', 1_050_000, 128_000),
  model('gpt-5.4', 1_050_000, 128_000),
  model('gpt-5.4-mini', 400_000, 128_000),
  model('gpt-5', 400_000, 128_000),
  model('o3', 200_000, 100_000),
  model('gpt-4.1', 1_047_576, 32_768, false),
  model('gpt-4.1-mini', 1_047_576, 32_768, false),
  model('gpt-4o-mini', 128_000, 16_384, false),
];
const gemini = [
  model('gemini-3.8-flash', 1_048_576, 65_536),
  model('gemini-3.7-flash', 1_048_576, 65_536),
  model('gemini-3.5-flash', 1_048_576, 65_536),
  model('gemini-3.1-pro-preview', 1_048_576, 65_536),
  model('gemini-3-flash-preview', 1_048_576, 65_536),
  model('gemini-2.5-pro', 1_048_576, 65_536),
  model('gemini-2.5-flash', 1_048_576, 65_536),
  model('gemini-2.5-flash-lite', 1_048_576, 65_536),
];
const ollama: SimModel[] = [
  model('qwen3:8b', 40_960, 40_960),
  model('gpt-oss:20b', 131_072, 131_072),
  { ...model('llama3.2:3b', 131_072, 131_072, false), images: false },
  model('gemma3:4b', 131_072, 131_072, false),
  { ...model('tinyllama:1.1b', 2_048, 2_048, false), tools: false, images: false },
];

export const modelsOf = (wire: WireId): readonly SimModel[] => {
  if (wire === 'anthropic') return anthropic;
  if (wire === 'gemini') return gemini;
  return wire === 'ollama' ? ollama : openai;
};

const FAMILY: Readonly<Record<WireId, RegExp>> = {
  anthropic: /^claude-/,
  openai_responses: /^(gpt-|o\d|codex-|chatgpt-)/,
  openai_chat: /^(gpt-|o\d|codex-|chatgpt-)/,
  gemini: /^(gemini|gemma)-/,
  ollama: /^$/,
};

/**
 * A listed model; else one of the vendor's family that is not listed (an older or newer one), with common limits,
 * unless `missing` is in its name. `sim-…` is always there. undefined: the vendor does not have it.
 */
export const findModel = (wire: WireId, id: string, compatible = false): SimModel | undefined => {
  const listed = modelsOf(wire).find((known) => known.id === id || known.id === `${id}:latest`);
  if (listed) return listed;
  if (/missing|no-such/.test(id) || id === '') return undefined;
  if (!compatible && !id.startsWith('sim-') && !FAMILY[wire].test(id)) return undefined;
  const reasoning = !/gpt-4|gpt-3|claude-3|gemini-1/.test(id);
  return model(id, 200_000, wire === 'anthropic' ? 64_000 : 128_000, reasoning);
};

/** Anthropic models that take a thinking budget (4.5 and before), and not `adaptive`. */
export const takesBudget = (id: string): boolean =>
  /^claude-(3|(opus|sonnet|haiku)-4(-[0-5])?(-\d{6,})?$)/.test(id);

/** Anthropic models that still take sampling parameters under the old API version: up to Opus 4.6. */
export const takesSampling = (id: string): boolean => takesBudget(id) || /^claude-(opus|sonnet)-4-6/.test(id);

export const isGemini3 = (id: string): boolean => !/^gemini-[12]\b/.test(id);
