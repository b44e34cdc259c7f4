import { z } from 'zod';
import { NAME, NAME_RULE } from './openai-common.ts';
import { JsonObject } from './shape.ts';

const breakpoint = z
  .strictObject({ mode: z.literal('explicit'), ttl: z.enum(['30m', '12h']).optional() })
  .optional();
const input_text = z.strictObject({
  type: z.literal('input_text'),
  text: z.string(),
  prompt_cache_breakpoint: breakpoint,
});
const input_image = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.enum(['auto', 'low', 'high', 'original']).optional(),
  prompt_cache_breakpoint: breakpoint,
});
const input_file = z.strictObject({
  type: z.literal('input_file'),
  file_data: z.string().optional(),
  file_id: z.string().nullish(),
  file_url: z.string().optional(),
  filename: z.string().optional(),
});
const input_part = z.discriminatedUnion('type', [input_text, input_image, input_file]);
const output_part = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(z.json()).optional(),
    logprobs: z.array(z.json()).optional(),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
]);
const status = z.enum(['in_progress', 'completed', 'incomplete']).nullish();
const own = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}_`), `expected an ID that begins with '${prefix}'`);

const asked = z.strictObject({
  type: z.literal('message').optional(),
  id: own('msg').optional(),
  role: z.enum(['user', 'system', 'developer']),
  content: z.union([z.string(), z.array(input_part)]),
  status,
});
const answered = z.strictObject({
  type: z.literal('message').optional(),
  id: own('msg').optional(),
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(output_part)]),
  status,
  phase: z.enum(['commentary', 'final_answer']).nullish(),
});
const message = z.discriminatedUnion('role', [asked, answered]);

const typed = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('reasoning'),
    id: own('rs').optional(),
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
    content: z.array(z.json()).nullish(),
    encrypted_content: z.string().nullish(),
    status,
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: own('fc').optional(),
    call_id: z.string().min(1).max(64, 'string too long. Expected a string with maximum length 64'),
    name: z.string().regex(NAME, NAME_RULE),
    arguments: z.string(),
    status,
  }),
  z.strictObject({
    type: z.literal('function_call_output'),
    id: own('fc').nullish(),
    call_id: z.string().min(1),
    output: z.union([z.string(), z.array(input_part)]),
    status,
  }),
]);
const item = z.union([typed, message]);
export type Item = z.infer<typeof item>;

const tool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(NAME, NAME_RULE),
  description: z.string().nullish(),
  parameters: JsonObject.nullish(),
  strict: z.boolean().nullish(),
});

export const InputItems = z.array(item);
export const ResponsesBody = z.strictObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(item)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  store: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  tools: z.array(tool).optional(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.strictObject({ type: z.literal('function'), name: z.string() }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: z.int().min(16, 'integer below minimum value. Expected a value >= 16').nullish(),
  max_tool_calls: z.int().nullish(),
  reasoning: z
    .strictObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      context: z.enum(['auto', 'current_turn', 'all_turns']).nullish(),
      mode: z.enum(['standard', 'pro']).nullish(),
    })
    .nullish(),
  include: z.array(z.enum(['reasoning.encrypted_content', 'message.output_text.logprobs'])).nullish(),
  prompt_cache_key: z.string().max(64, 'string too long. Expected a string with maximum length 64').nullish(),
  prompt_cache_options: z
    .strictObject({
      mode: z.enum(['implicit', 'explicit']).optional(),
      ttl: z.enum(['30m', '12h']).optional(),
    })
    .nullish(),
  prompt_cache_retention: z.enum(['in-memory', '24h']).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  text: z
    .strictObject({ verbosity: z.enum(['low', 'medium', 'high']).nullish(), format: z.json().optional() })
    .optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
  safety_identifier: z.string().optional(),
  service_tier: z.enum(['auto', 'default', 'flex', 'priority']).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  user: z.string().optional(),
});
export type ResponsesBody = z.infer<typeof ResponsesBody>;
