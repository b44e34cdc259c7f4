import { z } from 'zod';
import { JsonObject } from './shape.ts';

/** Bodies of `POST /v1/messages`. Unknown fields are refused, as the vendor does. */
const cache_control = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish();
const text = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  cache_control,
  citations: z.array(z.json()).nullish(),
});
const image = z.strictObject({
  type: z.literal('image'),
  cache_control,
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']),
      data: z.string(),
    }),
    z.strictObject({ type: z.literal('url'), url: z.string() }),
    z.strictObject({ type: z.literal('file'), file_id: z.string() }),
  ]),
});
const document = z.strictObject({
  type: z.literal('document'),
  cache_control,
  source: JsonObject,
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.json().optional(),
});
/** What a search among deferred tools has found. */
const tool_reference = z.strictObject({ type: z.literal('tool_reference'), tool_name: z.string() });
const id = z.string().regex(/^[a-zA-Z0-9_-]+$/, "String should match pattern '^[a-zA-Z0-9_-]+$'");
const block = z.discriminatedUnion('type', [
  text,
  image,
  document,
  z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() }),
  z.strictObject({
    type: z.literal('tool_use'),
    id,
    name: z.string().min(1).max(200),
    input: JsonObject,
    cache_control,
    caller: z.json().optional(),
  }),
  z.strictObject({
    type: z.literal('tool_result'),
    tool_use_id: id,
    content: z
      .union([z.string(), z.array(z.discriminatedUnion('type', [text, image, document, tool_reference]))])
      .optional(),
    is_error: z.boolean().optional(),
    cache_control,
  }),
]);
export type Block = z.infer<typeof block>;

const message = z.strictObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(block)]),
});
export type Message = z.infer<typeof message>;

const tool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
  description: z.string().optional(),
  input_schema: JsonObject,
  cache_control,
  strict: z.boolean().optional(),
  eager_input_streaming: z.boolean().nullish(),
  /** Known to the vendor, shown to the model once a search has named it. */
  defer_loading: z.boolean().optional(),
});

const common = {
  model: z.string().min(1),
  messages: z.array(message).min(1, 'at least one message is required'),
  system: z.union([z.string(), z.array(text)]).optional(),
  tools: z.array(tool).optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('auto'), disable_parallel_tool_use: z.boolean().optional() }),
      z.strictObject({ type: z.literal('any'), disable_parallel_tool_use: z.boolean().optional() }),
      z.strictObject({
        type: z.literal('tool'),
        name: z.string(),
        disable_parallel_tool_use: z.boolean().optional(),
      }),
      z.strictObject({ type: z.literal('none') }),
    ])
    .optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.enum(['adaptive', 'between_tools']),
        display: z.enum(['summarized', 'omitted', 'updates']).nullish(),
      }),
      z.strictObject({
        type: z.literal('enabled'),
        budget_tokens: z.int().min(1024, 'Input should be greater than or equal to 1024'),
        display: z.enum(['summarized', 'omitted', 'updates']).nullish(),
      }),
      z.strictObject({ type: z.literal('disabled') }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: z.json().optional(),
    })
    .optional(),
  cache_control,
  context_management: z.json().optional(),
  mcp_servers: z.json().optional(),
};

export const CountBody = z.strictObject(common);
export const MessagesBody = z.strictObject({
  ...common,
  max_tokens: z.int().min(1, 'Input should be greater than or equal to 1'),
  stream: z.boolean().optional(),
  metadata: z.strictObject({ user_id: z.string().max(256).nullish() }).optional(),
  stop_sequences: z.array(z.string().min(1)).optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  container: z.json().optional(),
  inference_geo: z.json().optional(),
  diagnostics: z.json().optional(),
});
export type MessagesBody = z.infer<typeof MessagesBody>;
