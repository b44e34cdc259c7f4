import { createHash } from 'node:crypto';
import type { HistoryMessage, ImagePart, Native, TextPart } from '@maestro/ports';
import { z } from 'zod';
import { toldHistory } from '../told-history.ts';

/** A block of a prompt as the protocol has it. */
export type PromptBlock = { type: 'text'; text: string } | { type: 'image'; data: string; mimeType: string };

const Named = z.object({
  agent: z.string(),
  session: z.string(),
  conversation: z.string(),
  told: z.string().optional(),
});

/**
 * What the history remembers of an agent's own conversation. `conversation`: our branch that it was begun on. `told`: the
 * digest of the instructions that it has.
 */
export const nativeOf = (named: z.output<typeof Named>, model: string): Native => ({
  wire: 'acp',
  model,
  parts: named,
});

/** The agent's own conversation that this history goes on with, and what of the history is new to it. */
export const conversationOf = (
  history: readonly HistoryMessage[],
  agent: string,
  branch: string,
): { session: string; told: string | undefined; news: readonly HistoryMessage[] } | undefined => {
  const at = history.findLastIndex(
    (message) => message.role === 'assistant' && message.native?.wire === 'acp',
  );
  const message = history[at];
  if (message?.role !== 'assistant') return undefined;
  const named = Named.safeParse(message.native?.parts);
  if (!named.success || named.data.agent !== agent || named.data.conversation !== branch) return undefined;
  const own = new Set(message.parts.flatMap((part) => (part.type === 'tool_call' ? [part.call_id] : [])));
  const news = history.slice(at + 1).flatMap((each): HistoryMessage[] => {
    if (each.role !== 'tool') return [each];
    const parts = each.parts.filter(({ call_id }) => !own.has(call_id));
    return parts.length === 0 ? [] : [{ role: 'tool', parts }];
  });
  return { session: named.data.session, told: named.data.told, news };
};

export const digestOf = (instructions: string): string =>
  createHash('sha256').update(instructions).digest('base64url');

/**
 * The blocks that tell an agent `messages`: the person's last words as they are, what came before them as text.
 * `instructions` stand first. Images it does not take are named. `part`: not all of what came before is told.
 */
export const promptOf = (
  messages: readonly HistoryMessage[],
  { instructions, images }: { readonly instructions: string | null; readonly images: boolean },
): { prompt: PromptBlock[]; part: boolean } => {
  const last = messages.at(-1);
  const spoken = last?.role === 'user' ? last.parts : [];
  const before = last?.role === 'user' ? messages.slice(0, -1) : messages;
  const told = toldHistory(before);
  const blocks: PromptBlock[] = [];
  if (instructions !== null)
    blocks.push({ type: 'text', text: `<instructions>\n${instructions}\n</instructions>` });
  if (told.text !== '')
    blocks.push({ type: 'text', text: told.text }, ...told.images.map((image) => blockOf(image, images)));
  blocks.push(...spoken.map((part) => blockOf(part, images)));
  if (spoken.length === 0) blocks.push({ type: 'text', text: 'Continue from where you stopped.' });
  return { prompt: blocks, part: told.part };
};

const blockOf = (part: TextPart | ImagePart, images: boolean): PromptBlock => {
  if (part.type === 'text') return { type: 'text', text: part.text };
  return images
    ? { type: 'image', data: Buffer.from(part.bytes).toString('base64'), mimeType: part.media_type }
    : { type: 'text', text: `[An image (${part.media_type}) that you cannot be shown.]` };
};
