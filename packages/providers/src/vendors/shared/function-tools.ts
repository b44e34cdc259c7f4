import type { ToolSpec } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { objectSchema } from './tool-input.ts';

/** Tools in the form of OpenAI's chat, which Ollama shares. */
export const functionTools = (tools: readonly ToolSpec[]): { [key: string]: Json }[] =>
  tools.map((tool) => ({
    type: 'function',
    function: {
      name: tool.name,
      description: tool.description,
      parameters: objectSchema(tool.parameters),
    },
  }));
