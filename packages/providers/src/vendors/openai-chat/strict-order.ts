import { createHash } from 'node:crypto';
import type { Json } from '@maestro/protocol';
import { fields, isObject, list, text } from '../shared/json.ts';
import type { Message } from './encode.ts';

/** What the model is made to say where a user's message may not follow a tool's. */
const goingOn = 'I have the results.';

/** Puts an assistant's word between a tool's message and a user's. */
export const withAssistantAfterTool = (messages: readonly Message[]): Message[] =>
  messages.flatMap((message, place) => {
    const follows = message['role'] === 'user' && messages[place - 1]?.['role'] === 'tool';
    return follows ? [{ role: 'assistant', content: goingOn }, message] : [message];
  });

/** Call ids of nine letters and digits, the same for the same id, so that calls and results still belong together. */
export const withShortIds = (messages: readonly Message[]): Message[] =>
  messages.map((message) => {
    const id = text(message['tool_call_id']);
    if (id !== undefined) return { ...message, tool_call_id: shortId(id) };
    if (!Array.isArray(message['tool_calls'])) return message;
    return { ...message, tool_calls: list(message['tool_calls']).map(shortCall) };
  });

const shortCall = (call: Json): Json => {
  const id = text(fields(call)['id']);
  return isObject(call) && id !== undefined ? { ...call, id: shortId(id) } : call;
};

const shortId = (id: string): string =>
  /^[A-Za-z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9);
