import { z } from 'zod';
import { JsonObject } from './shape.ts';

/** Ollama ignores fields it does not know. */
const call = z.object({
  id: z.string().optional(),
  function: z.object({ name: z.string(), arguments: JsonObject, index: z.int().optional() }),
});
const message = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string().optional(),
  thinking: z.string().optional(),
  images: z.array(z.string()).nullish(),
  tool_calls: z.array(call).nullish(),
  tool_name: z.string().optional(),
  tool_call_id: z.string().optional(),
});
export type Message = z.infer<typeof message>;

export const OllamaBody = z.object({
  model: z.string().min(1, 'model is required'),
  messages: z.array(message).default([]),
  stream: z.boolean().nullish(),
  think: z.union([z.boolean(), z.enum(['low', 'medium', 'high'])]).nullish(),
  keep_alive: z.union([z.string(), z.number()]).optional(),
  format: z.json().optional(),
  options: z
    .object({
      num_ctx: z.int().min(1).optional(),
      num_predict: z.int().optional(),
      temperature: z.number().optional(),
    })
    .nullish(),
  tools: z
    .array(
      z.object({
        type: z.literal('function'),
        function: z.object({
          name: z.string().min(1),
          description: z.string().optional(),
          parameters: JsonObject.optional(),
        }),
      }),
    )
    .nullish(),
});
export type OllamaBody = z.infer<typeof OllamaBody>;
