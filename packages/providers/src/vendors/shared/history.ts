import type {
  HistoryMessage,
  ImagePart,
  Native,
  TextPart,
  ThoughtPart,
  ToolCallPart,
  ToolResultPart,
  WireId,
} from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { safeCallId } from './call-id.ts';

/** What a person said (neighbours already one). */
export interface UserTurn {
  role: 'user';
  parts: (TextPart | ImagePart)[];
}

/** What the model said, with the results of its calls: one for each call, in their order, with the same `call_id`. */
export interface AssistantTurn {
  role: 'assistant';
  parts: (TextPart | ThoughtPart | ToolCallPart)[];
  /** The vendor's own parts, only where they are of the same wire and model. */
  native: Json | undefined;
  results: ToolResultPart[];
}

export type HistoryTurn = UserTurn | AssistantTurn;

const noResult = 'No result of this call is known: the run was interrupted before it ended.';

/**
 * The history in the order every vendor insists on: results right behind their calls, one for each. Call ids become
 * safe and, unless they are the vendor's own, unique. A call without a result gets one that says so; a result without
 * a call becomes text of the user's side, so that nothing is lost. Thoughts without native parts are left out. Where
 * the model has spoken last the user asks it to go on: no model of today continues its own last words.
 */
export const orderHistory = (
  history: readonly HistoryMessage[],
  wire: WireId,
  model: string,
): HistoryTurn[] => {
  const turns: HistoryTurn[] = [];
  const used = new Set<string>();
  let open: OpenCall[] = [];
  let owner: AssistantTurn | undefined;

  const close = () => {
    if (owner !== undefined) owner.results = open.map((call) => call.result ?? missing(call));
    owner = undefined;
    open = [];
  };

  for (const message of history) {
    if (message.role === 'assistant') {
      close();
      const native = ownParts(message.native, wire, model);
      const parts = message.parts.filter((part) => part.type !== 'thought' && !isEmpty(part));
      open = [];
      const named = parts.map((part) => {
        if (part.type !== 'tool_call') return part;
        const id = native === undefined ? uniqueId(part.call_id, used) : part.call_id;
        used.add(id);
        open.push({ raw: part.call_id, call_id: id, name: part.name });
        return { ...part, call_id: id };
      });
      if (named.length === 0 && native === undefined) continue;
      owner = { role: 'assistant', parts: named, native, results: [] };
      turns.push(owner);
    } else if (message.role === 'tool') {
      for (const part of message.parts) {
        const call = open.find(
          (candidate) => candidate.raw === part.call_id && candidate.result === undefined,
        );
        if (call !== undefined) call.result = { ...part, call_id: call.call_id };
        else addUser(turns, [{ type: 'text', text: `Result of ${part.name}:` }, ...part.content]);
      }
    } else {
      addUser(turns, message.parts);
    }
  }
  close();
  const last = turns.at(-1);
  if (last === undefined || (last.role === 'assistant' && last.results.length === 0)) {
    addUser(turns, [{ type: 'text', text: continueText }]);
  }
  return turns;
};

/** undefined: of another wire or model, or empty. */
const ownParts = (native: Native | undefined, wire: WireId, model: string): Json | undefined => {
  if (native === undefined || native.wire !== wire || native.model !== model) return undefined;
  return Array.isArray(native.parts) && native.parts.length === 0 ? undefined : native.parts;
};

interface OpenCall {
  readonly raw: string;
  readonly call_id: string;
  readonly name: string;
  result?: ToolResultPart;
}

const missing = (call: OpenCall): ToolResultPart => ({
  type: 'tool_result',
  call_id: call.call_id,
  name: call.name,
  content: [{ type: 'text', text: noResult }],
  is_error: true,
});

const isEmpty = (part: { type: string; text?: string }): boolean =>
  part.type === 'text' && (part.text ?? '').trim() === '';

const addUser = (turns: HistoryTurn[], parts: readonly (TextPart | ImagePart)[]): void => {
  const full = parts.filter((part) => !isEmpty(part));
  if (full.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === 'user') last.parts.push(...full);
  else turns.push({ role: 'user', parts: full });
};

const uniqueId = (raw: string, used: ReadonlySet<string>): string => {
  const id = safeCallId(raw);
  if (!used.has(id)) return id;
  for (let number = 2; ; number += 1) {
    const next = safeCallId(`${raw}#${number}`);
    if (!used.has(next)) return next;
  }
};

/** The words of a result as one text; `Error: ` before them where the wire has no flag for a failure. */
export const resultText = (result: ToolResultPart): string => {
  const words = result.content
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');
  const shown = words === '' ? (resultImages(result).length > 0 ? '(image)' : '(no output)') : words;
  return result.is_error ? `Error: ${shown}` : shown;
};

export const resultImages = (result: ToolResultPart): ImagePart[] =>
  result.content.filter((part) => part.type === 'image');

/** The images of all results, each behind a line that names its tool: for wires whose tool messages hold text only. */
export const imagesOfResults = (results: readonly ToolResultPart[]): (TextPart | ImagePart)[] =>
  results.flatMap((result) =>
    resultImages(result).length === 0
      ? []
      : [{ type: 'text' as const, text: `Image from ${result.name}:` }, ...resultImages(result)],
  );

/** Said in the user's name where a wire wants a user's message and there is none. */
export const continueText = 'Continue.';

export const base64 = (image: ImagePart): string => Buffer.from(image.bytes).toString('base64');
export const dataUrl = (image: ImagePart): string => `data:${image.media_type};base64,${base64(image)}`;
