import type { Json } from '@maestro/protocol';

export type WireId = 'anthropic' | 'openai_responses' | 'openai_chat' | 'gemini' | 'ollama';

export interface SeenCall {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}
export interface SeenResult {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** By the vendor's flag, or by the text where the wire has none. */
  readonly is_error: boolean;
}
export type Turn =
  | { readonly role: 'user'; readonly text: string; readonly images: number }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly SeenCall[] }
  | { readonly role: 'tool'; readonly results: readonly SeenResult[] };

export interface OfferedTool {
  readonly name: string;
  /** Property names of its schema. */
  readonly properties: readonly string[];
}

/** A piece of the prompt for the cache: the vendor's order is tools, system, messages. */
export interface Segment {
  readonly text: string;
  readonly tokens: number;
  /** Anthropic's cache mark on it. */
  readonly mark?: '5m' | '1h';
}

/** A request as every wire gives it after its checks: what scripts and the built-in agent decide on. */
export interface Prompt {
  readonly wire: WireId;
  /** true: a server that copies OpenAI's Chat Completions, not OpenAI. */
  readonly compatible: boolean;
  readonly model: string;
  readonly system: string;
  readonly turns: readonly Turn[];
  readonly tools: readonly OfferedTool[];
  /** null: no limit asked for. */
  readonly max_output_tokens: number | null;
  /** Whether thoughts may be made, and whether their text may be shown. */
  readonly thoughts: 'none' | 'hidden' | 'shown';
  /** `sse`, `ndjson`: as it comes; `json`: one object at the end; `array`: Gemini without `alt=sse`. */
  readonly delivery: 'sse' | 'ndjson' | 'json' | 'array';
  /** Whether the stream ends with usage (Chat asks for it). */
  readonly wants_usage: boolean;
  /** Whether the answer carries what lets a stateless caller send its thoughts back. */
  readonly wants_encrypted: boolean;
  readonly segments: readonly Segment[];
  readonly cache: 'marks' | 'implicit' | 'implicit_writes' | 'none';
}

export const lastUserText = (turns: readonly Turn[]): string =>
  turns.findLast((turn) => turn.role === 'user')?.text ?? '';

/** Wires without an error flag: the caller says it in the text. */
export const looksFailed = (text: string): boolean => /^\W*(error|failed)\b *:/i.test(text);

export const toolsOf = (
  tools: readonly { readonly name: string; readonly schema: Json | undefined }[],
): OfferedTool[] =>
  tools.map(({ name, schema }) => {
    const properties = isRecord(schema) ? schema['properties'] : undefined;
    return { name, properties: isRecord(properties) ? Object.keys(properties) : [] };
  });

export const isRecord = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
