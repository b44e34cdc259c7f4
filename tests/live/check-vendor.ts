import type { Prices, ProviderEvent, ProviderRequest, ToolSpec } from '@maestro/ports';
import type { Model } from '@maestro/protocol';
import type { Budget } from './budget.ts';
import type { Target } from './targets.ts';

export type Outcome =
  | { readonly type: 'fine'; readonly found: string }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'skipped'; readonly why: string };

type Checked = Extract<Target, { type: 'check' }>;
type End = Extract<ProviderEvent, { type: 'done' | 'error' }>;

/** Enough for a short thought and a few words. */
const most_output = 1024;
const list_timeout_ms = 20_000;
const answer_timeout_ms = 120_000;

const readFile: ToolSpec = {
  name: 'read_file',
  description: 'Reads a file and gives its text.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

/** Model list, one short streamed answer, one tool call, usage and price of one service. Never throws. */
export const checkVendor = async (
  target: Checked,
  wanted: string | undefined,
  budget: Budget,
  prices: Prices,
): Promise<Outcome> => {
  const { provider, credential, base_url } = target;
  const listed = await provider.models({ credential, base_url }, AbortSignal.timeout(list_timeout_ms));
  if (!listed.ok) {
    const { cause, message, remedy } = listed.error;
    if (provider.id === 'ollama' && cause === 'network')
      return { type: 'skipped', why: `${message} ${remedy ?? ''}`.trim() };
    return { type: 'failed', why: `the model list: ${cause}: ${message}` };
  }
  const list = `${listed.value.length} models`;
  if (listed.value.length === 0) return { type: 'failed', why: 'the model list: it is empty' };
  const model = chooseModel(target, wanted, listed.value);
  if (model === undefined && target.preset)
    return { type: 'fine', found: `${list}; name one to have it answer (--model ${target.name}=…)` };
  if (model === undefined) return { type: 'failed', why: `${list}, but none whose price is known` };

  const began = performance.now();
  const answer = await askOnce(target, model, 'say pong', [], budget);
  if (typeof answer === 'string') return { type: 'failed', why: `${model.id}, the answer: ${answer}` };
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (!/pong/i.test(answer.text))
    return {
      type: 'failed',
      why: `${model.id}, the answer: it was to say pong and said ${JSON.stringify(answer.text.slice(0, 100))}`,
    };

  const called = await askOnce(target, model, 'read a.txt', [readFile], budget);
  if (typeof called === 'string') return { type: 'failed', why: `${model.id}, the tool call: ${called}` };
  if (!called.calls.includes('{"path":"a.txt"}'))
    return {
      type: 'failed',
      why: `${model.id}, the tool call: it was to read a.txt and called ${called.calls.join(', ') || 'nothing'}`,
    };

  const { usage } = called.end;
  if (usage.request_tokens === 0 || usage.response_tokens === 0)
    return {
      type: 'failed',
      why: `${model.id}, usage: ${usage.request_tokens} and ${usage.response_tokens} tokens`,
    };
  if (usage.estimated && !target.preset)
    return { type: 'failed', why: `${model.id}, usage: the vendor gave none, it was counted here` };
  const priced =
    provider.id === 'ollama' || target.preset || prices.cost(provider.id, model.id, usage).usd !== null;
  if (!priced) return { type: 'failed', why: `${model.id}, price: it is not known` };
  const cost = answer.cost + called.cost;
  return {
    type: 'fine',
    found: `${list} · ${model.id} · answer in ${seconds} s · tool call · ${usage.request_tokens} + ${usage.response_tokens} tokens · $${cost.toFixed(6)}`,
  };
};

/** The named one, else the cheapest that takes tools. */
const chooseModel = (
  target: Checked,
  wanted: string | undefined,
  listed: readonly Model[],
): Model | undefined => {
  const { provider } = target;
  if (wanted !== undefined) return listed.find(({ id }) => id === wanted) ?? provider.describe(wanted);
  if (target.preset) return undefined;
  const able = listed.filter(({ tools }) => tools);
  if (provider.id === 'ollama') return able[0];
  const priced = able.filter((model) => price(model) !== undefined);
  return priced.toSorted((a, b) => (price(a) ?? 0) - (price(b) ?? 0))[0];
};

const price = ({ input_usd_per_mtok, output_usd_per_mtok }: Model): number | undefined =>
  input_usd_per_mtok === null || output_usd_per_mtok === null
    ? undefined
    : input_usd_per_mtok + output_usd_per_mtok;

interface Answered {
  readonly text: string;
  /** Inputs of the calls, as JSON. */
  readonly calls: readonly string[];
  readonly end: Extract<End, { type: 'done' }>;
  readonly cost: number;
}

/** A text says what went wrong, or that there is not enough money for it. */
const askOnce = async (
  { provider, credential, base_url }: Checked,
  model: Model,
  words: string,
  tools: readonly ToolSpec[],
  budget: Budget,
): Promise<Answered | string> => {
  const request: ProviderRequest = {
    session_id: `live_${crypto.randomUUID()}`,
    model: model.id,
    system:
      'This tests a connection. Do exactly what is asked and nothing else. Use the tool where there is one.',
    history: [{ role: 'user', parts: [{ type: 'text', text: words }] }],
    tools,
    effort: model.thinking ? 'low' : null,
    max_output_tokens: most_output,
    base_url,
    credential,
  };
  // Two characters a token, and as much again for what the vendor adds: more than any of them counts.
  const input = JSON.stringify([request.system, words, tools]).length + 500;
  const reserved = budget.reserve(provider.id, model, { input, output: most_output });
  if (!reserved.ok) return reserved.error.message;
  let text = '';
  const calls: string[] = [];
  const kinds = new Map<number, string>();
  let deltas = 0;
  let end: End | undefined;
  for await (const event of provider.stream(request, AbortSignal.timeout(answer_timeout_ms))) {
    if (event.type === 'block_start') kinds.set(event.block, event.kind);
    else if (event.type === 'delta') {
      deltas += 1;
      if (kinds.get(event.block) === 'text') text += event.text;
    } else if (event.type === 'block_end' && kinds.get(event.block) === 'tool_call')
      calls.push(JSON.stringify(event.input));
    else if (event.type === 'done' || event.type === 'error') end = event;
  }
  const refused = end?.type === 'error' && end.error.status !== undefined && end.error.status >= 400;
  const cost = reserved.value.settle(refused ? zero : (end?.usage ?? null));
  if (end === undefined) return 'the stream had no end';
  if (end.type === 'error') return `${end.error.cause}: ${end.error.message}`;
  if (deltas === 0) return 'nothing was streamed';
  const expected = tools.length > 0 ? 'tool_calls' : 'end';
  if (end.stop !== expected) return `it stopped with ${end.stop} (${end.stop_raw}), not ${expected}`;
  return { text, calls, end, cost };
};

/** A refused request is not billed. */
const zero = {
  request_tokens: 0,
  response_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cache_write_1h_tokens: 0,
  reasoning_tokens: 0,
  estimated: false,
};
