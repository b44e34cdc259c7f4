import type { WireId } from '../conversation.ts';
import { anthropic } from './anthropic.ts';
import { chat } from './chat.ts';
import { gemini } from './gemini.ts';
import { ollama } from './ollama.ts';
import { responses } from './responses.ts';
import type { Wire } from './wire.ts';

export const WIRES: Readonly<Record<WireId, Wire>> = {
  anthropic,
  openai_responses: responses,
  openai_chat: chat,
  gemini,
  ollama,
};
