import { z } from 'zod';
import { NAME, NAME_RULE } from './openai-common.ts';
import { JsonObject } from './shape.ts';

const text = z.strictObject({ type: z.literal('text'), text: z.string() });
const texts = z.union([z.string(), z.array(text)]);
const user_part = z.discriminatedUnion('type', [
  text,
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({ url: z.string(), detail: z.enum(['auto', 'low', 'high']).optional() }),
  }),
  z.strictObject({ type: z.literal('file'), file: z.json() }),
  z.strictObject({ type: z.literal('input_audio'), input_audio: z.json() }),
]);
const tool_call = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().regex(NAME, NAME_RULE), arguments: z.string() }),
});
const name = z.string().optional();

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.enum(['system', 'developer']), content: texts, name }),
  z.strictObject({ role: z.literal('user'), content: z.union([z.string(), z.array(user_part)]), name }),
  z.strictObject({
    role: z.literal('assistant'),
    content: texts.nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(tool_call).min(1, 'expected a non-empty array').optional(),
    name,
    /** Copies only. */
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish(),
    reasoning_details: z.array(z.json()).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), content: texts, tool_call_id: z.string() }),
]);
export type Message = z.infer<typeof message>;

export const ChatBody = z.strictObject({
  model: z.string().min(1),
  messages: z.array(message).min(1, 'expected a non-empty array'),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: z.string().regex(NAME, NAME_RULE),
          description: z.string().optional(),
          parameters: JsonObject.optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    )
    .min(1, 'expected a non-empty array')
    .optional(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  n: z.int().nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
  logit_bias: z.json().optional(),
  response_format: z.json().optional(),
  metadata: z.json().optional(),
  modalities: z.json().optional(),
  prediction: z.json().optional(),
  prompt_cache_key: z
    .string()
    .max(64, 'string too long. Expected a string with maximum length 64')
    .optional(),
  prompt_cache_options: z.json().optional(),
  prompt_cache_retention: z.json().optional(),
  safety_identifier: z.string().optional(),
  service_tier: z.string().nullish(),
  store: z.boolean().nullish(),
  user: z.string().optional(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  web_search_options: z.json().optional(),
});
export type ChatBody = z.infer<typeof ChatBody>;
