import type {
  HistoryMessage,
  HistoryRow,
  ImagePart,
  Native,
  TextPart,
  ToolResultPart,
  WireId,
} from '@maestro/ports';
import type { AuthType, BlobId, Json } from '@maestro/protocol';
import { z } from 'zod';

/** The parts of `messages.content`: normal form, with images by blob id. */
const StoredPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thought'), text: z.string() }),
  z.object({ type: z.literal('image'), blob_id: z.string(), media_type: z.string() }),
  z.object({ type: z.literal('tool_call'), call_id: z.string(), name: z.string(), input: z.json() }),
  z.object({
    type: z.literal('tool_result'),
    call_id: z.string(),
    name: z.string(),
    is_error: z.boolean(),
    content: z.array(
      z.discriminatedUnion('type', [
        z.object({ type: z.literal('text'), text: z.string() }),
        z.object({ type: z.literal('image'), blob_id: z.string(), media_type: z.string() }),
      ]),
    ),
  }),
]);
export type StoredPart = z.infer<typeof StoredPart>;
export type StoredImage = Extract<StoredPart, { type: 'image' }>;

/** Reads an image's bytes; undefined where the blob is gone. */
export type LoadImage = (id: BlobId) => Promise<Uint8Array | undefined>;

/** Who is sent the history: a provider, or an agent, whose native parts name its conversation, whatever its model. */
export type Target =
  | { readonly wire: WireId; readonly model: string; readonly auth_type: AuthType }
  | { readonly wire: WireId; readonly model: null };

/** What a call is told when nothing is known of its outcome. */
export const unknownOutcome =
  'This call was interrupted before its result was recorded. Whether it took effect is unknown: check before doing it again.';

/**
 * The history as a provider may be sent it. Well-formed whatever happened before: every tool call is followed by
 * exactly one result for it, and the last message is not the assistant's. The provider's own parts go along only
 * where wire, model and kind of credential are still the same; else thoughts are dropped.
 */
export const buildHistory = async (
  rows: readonly HistoryRow[],
  target: Target,
  load: LoadImage,
): Promise<HistoryMessage[]> => {
  const history: HistoryMessage[] = [];
  const results = resultsByCall(rows);
  for (const row of rows) {
    const parts = partsOf(row.content);
    if (row.role === 'user') await addUser(history, parts, load);
    if (row.role === 'assistant') await addAssistant(history, row, parts, { target, results, load });
  }
  if (history.at(-1)?.role === 'assistant')
    history.push({ role: 'user', parts: [{ type: 'text', text: 'Continue from where you stopped.' }] });
  return history;
};

const partsOf = (content: Json): StoredPart[] => {
  if (!Array.isArray(content)) return [];
  return content.flatMap((part) => {
    const read = StoredPart.safeParse(part);
    return read.success ? [read.data] : [];
  });
};

type StoredResult = Extract<StoredPart, { type: 'tool_result' }>;

const resultsByCall = (rows: readonly HistoryRow[]): Map<string, StoredResult> => {
  const results = new Map<string, StoredResult>();
  for (const row of rows)
    if (row.role === 'tool')
      for (const part of partsOf(row.content))
        if (part.type === 'tool_result') results.set(`${row.turn_id}:${part.call_id}`, part);
  return results;
};

const addUser = async (
  history: HistoryMessage[],
  parts: readonly StoredPart[],
  load: LoadImage,
): Promise<void> => {
  const shown = await visible(parts, load);
  if (shown.length === 0) return;
  const last = history.at(-1);
  if (last?.role === 'user') history[history.length - 1] = { role: 'user', parts: [...last.parts, ...shown] };
  else history.push({ role: 'user', parts: shown });
};

interface AssistantContext {
  readonly target: Target;
  readonly results: ReadonlyMap<string, StoredResult>;
  readonly load: LoadImage;
}

const addAssistant = async (
  history: HistoryMessage[],
  row: HistoryRow,
  parts: readonly StoredPart[],
  context: AssistantContext,
): Promise<void> => {
  const native = sameNative(row.native, context.target);
  const said = parts.filter(
    (part) => part.type === 'text' || part.type === 'tool_call' || (native && part.type === 'thought'),
  );
  if (said.length === 0) return;
  if (history.length === 0) history.push({ role: 'user', parts: [{ type: 'text', text: 'Continue.' }] });
  const last = history.at(-1);
  const message: HistoryMessage = {
    role: 'assistant',
    parts: said.filter((part) => part.type !== 'image' && part.type !== 'tool_result'),
    ...(native ? { native } : {}),
  };
  if (last?.role === 'assistant')
    history.push({ role: 'user', parts: [{ type: 'text', text: 'Continue.' }] });
  history.push(message);
  const calls = said.filter((part) => part.type === 'tool_call');
  if (calls.length === 0) return;
  const answers: ToolResultPart[] = [];
  for (const call of calls) {
    const stored = context.results.get(`${row.turn_id}:${call.call_id}`);
    const content = stored ? await visible(stored.content, context.load) : [];
    const text: TextPart = { type: 'text', text: stored ? '(no output)' : unknownOutcome };
    answers.push({
      type: 'tool_result',
      call_id: call.call_id,
      name: call.name,
      content: content.length > 0 ? content : [text],
      is_error: stored?.is_error ?? true,
    });
  }
  history.push({ role: 'tool', parts: answers });
};

const sameNative = (native: Native | null, target: Target): Native | undefined => {
  if (native?.wire !== target.wire) return undefined;
  if (target.model === null) return native;
  const { model, auth_type = target.auth_type === 'oauth' ? 'api_key' : target.auth_type } = native;
  return model === target.model && auth_type === target.auth_type ? native : undefined;
};

/** Texts and images; an image whose bytes are gone is named in words. */
const visible = async (parts: readonly StoredPart[], load: LoadImage): Promise<(TextPart | ImagePart)[]> => {
  const shown: (TextPart | ImagePart)[] = [];
  for (const part of parts) {
    if (part.type === 'text' && part.text !== '') shown.push(part);
    if (part.type !== 'image') continue;
    const bytes = await load(part.blob_id as BlobId);
    if (bytes) shown.push({ type: 'image', media_type: part.media_type, bytes });
    else
      shown.push({
        type: 'text',
        text: `[An image (${part.media_type}) stood here; it is no longer stored.]`,
      });
  }
  return shown;
};
