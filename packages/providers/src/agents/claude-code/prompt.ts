import type { HistoryMessage, ImagePart, Native, TextPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { fields, text } from '../../vendors/shared/json.ts';
import { toldHistory } from '../told-history.ts';

/** Names its conversation (`session`), and our branch that it was begun on. */
export const nativeOf = (session: string, branch: string, model: string): Native => ({
  wire: 'claude_code',
  model,
  parts: { session, branch },
});

export interface Known {
  /** Its own name of the conversation to go on with. */
  readonly session: string;
  /** What it has not heard of yet. */
  readonly news: readonly HistoryMessage[];
}

/** The conversation of its that this history goes on with; undefined: it has none on this branch. */
export const knownOf = (history: readonly HistoryMessage[], branch: string): Known | undefined => {
  const at = history.findLastIndex(
    (message) => message.role === 'assistant' && message.native?.wire === 'claude_code',
  );
  const message = history[at];
  if (message?.role !== 'assistant') return undefined;
  const parts = fields(message.native?.parts);
  const session = text(parts['session']);
  if (session === undefined || parts['branch'] !== branch) return undefined;
  const own = new Set(message.parts.flatMap((part) => (part.type === 'tool_call' ? [part.call_id] : [])));
  const news = history.slice(at + 1).flatMap((each): HistoryMessage[] => {
    if (each.role !== 'tool') return [each];
    const others = each.parts.filter(({ call_id }) => !own.has(call_id));
    return others.length === 0 ? [] : [{ role: 'tool', parts: others }];
  });
  return { session, news };
};

/**
 * The content of a message to it: the person's last words as they are, what came before them as text. `part`: not all of
 * that is told.
 */
export const promptOf = (messages: readonly HistoryMessage[]): { content: Json[]; part: boolean } => {
  const last = messages.at(-1);
  const spoken = last?.role === 'user' ? last.parts : [];
  const told = toldHistory(last?.role === 'user' ? messages.slice(0, -1) : messages);
  const content = [
    ...(told.text === '' ? [] : [{ type: 'text', text: told.text }, ...told.images.map(blockOf)]),
    ...spoken.map(blockOf),
    ...(spoken.length === 0 ? [{ type: 'text', text: 'Continue from where you stopped.' }] : []),
  ];
  return { content, part: told.part };
};

/** A text that begins with a slash is an order to it (`/clear` forgets the conversation): with a space before, it is words. */
const words = (text: string): string => (text.startsWith('/') ? ` ${text}` : text);

const blockOf = (part: TextPart | ImagePart): Json =>
  part.type === 'text'
    ? { type: 'text', text: words(part.text) }
    : {
        type: 'image',
        source: {
          type: 'base64',
          media_type: part.media_type,
          data: Buffer.from(part.bytes).toString('base64'),
        },
      };
