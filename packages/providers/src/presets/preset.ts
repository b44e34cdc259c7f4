import { z } from 'zod';

/** How a copy of Chat Completions differs from the rest. What is not said is what most copies do. */
export const Habits = z.strictObject({
  /** Its word for the limit of the answer. Default `max_tokens`. */
  max_tokens_field: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  /** The role of the system prompt. Default `system`: few copies know `developer`. */
  system_role: z.enum(['system', 'developer']).optional(),
  /** false: refuses `stream_options`; it gives usage without being asked. */
  stream_options: z.boolean().optional(),
  /**
   * Which thoughts it wants back. `reasoning_content`: within a running tool loop; `reasoning_details`: with every
   * message; `both`: whichever it gave (default); `none`: it refuses or ignores them.
   */
  thoughts_back: z.enum(['none', 'reasoning_content', 'reasoning_details', 'both']).optional(),
  /** Where the wanted effort goes: `reasoning.effort`, `reasoning_effort`, or nowhere (default). */
  effort: z.enum(['reasoning', 'reasoning_effort', 'none']).optional(),
  /** `nine`: only nine letters and digits are taken as the id of a tool call (Mistral). */
  call_ids: z.enum(['any', 'nine']).optional(),
  /** true: a user's message may not follow a tool's; an assistant's goes between (Mistral). */
  assistant_after_tool: z.boolean().optional(),
  /** A path whose answer proves the key, where the model list needs none (OpenRouter). Default `/models`. */
  check_path: z.string().startsWith('/').optional(),
});
export type Habits = z.infer<typeof Habits>;

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
  .refine((url) => {
    const parsed = URL.parse(url);
    return parsed?.username === '' && parsed.search === '' && parsed.hash === '';
  }, 'must be an address without a name, a query or a fragment')
  .transform((url) => url.replace(/\/+$/, ''));

/** A well-known service that copies Chat Completions, as data. */
export const Preset = z.strictObject({
  /** Also the name under which its key is saved in the vault. */
  id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, - and _'),
  name: z.string().min(1).max(80),
  base_url: baseUrl,
  /** Environment name of its key; null where it has none. */
  key_name: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable')
    .nullable()
    .default(null),
  auth: z.enum(['key', 'none']),
  habits: Habits.prefault({}),
  /** Where its key is made, or how it is started. */
  docs: z.string().max(300).default(''),
});
export type Preset = z.infer<typeof Preset>;
