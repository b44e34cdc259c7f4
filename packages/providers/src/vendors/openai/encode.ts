import type { ImagePart, ProviderRequest, TextPart, ToolResultPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { nearestEffort } from '../shared/effort.ts';
import { type AssistantTurn, dataUrl, orderHistory, resultImages, resultText } from '../shared/history.ts';
import { list, object } from '../shared/json.ts';
import { objectSchema } from '../shared/tool-input.ts';
import { effortsOf, reasons } from './reasoning.ts';

type Item = { [key: string]: Json };

export const encodeResponses = (request: ProviderRequest): { path: string; body: Json } => {
  const reasoning = reasons(request.model);
  const effort =
    request.effort === null ? undefined : nearestEffort(request.effort, effortsOf(request.model));
  const tools = request.tools.map((tool) => ({
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: objectSchema(tool.parameters),
    strict: false,
  }));
  const body = object({
    model: request.model,
    stream: true,
    // Nothing is kept by the vendor: the whole history travels, reasoning included (encrypted).
    store: false,
    instructions: request.system === '' ? undefined : request.system,
    input: items(request),
    ...(tools.length > 0 && { tools, tool_choice: 'auto', parallel_tool_calls: true }),
    max_output_tokens: request.max_output_tokens ?? undefined,
    reasoning: reasoning ? object({ effort, summary: 'auto' }) : undefined,
    include: reasoning ? ['reasoning.encrypted_content'] : undefined,
    prompt_cache_key: request.session_id,
  });
  return { path: '/responses', body };
};

const items = (request: ProviderRequest): Item[] =>
  orderHistory(request.history, 'openai_responses', request.model).flatMap((turn): Item[] =>
    turn.role === 'user'
      ? [{ type: 'message', role: 'user', content: turn.parts.map(inputPart) }]
      : [...assistantItems(turn), ...turn.results.map(outputItem)],
  );

const assistantItems = (turn: AssistantTurn): Item[] => {
  if (turn.native !== undefined) {
    return list(turn.native).flatMap((item) =>
      typeof item === 'object' && item !== null && !Array.isArray(item) ? [item] : [],
    );
  }
  return turn.parts.flatMap((part): Item[] => {
    if (part.type === 'text') {
      const content = [{ type: 'output_text', text: part.text, annotations: [] }];
      return [{ type: 'message', role: 'assistant', content }];
    }
    if (part.type !== 'tool_call') return [];
    const call = { call_id: part.call_id, name: part.name, arguments: JSON.stringify(part.input) };
    return [{ type: 'function_call', ...call }];
  });
};

const inputPart = (part: TextPart | ImagePart): Item =>
  part.type === 'text'
    ? { type: 'input_text', text: part.text }
    : { type: 'input_image', image_url: dataUrl(part), detail: 'auto' };

const outputItem = (result: ToolResultPart): Item => {
  const words = resultText(result);
  const images = resultImages(result);
  const output =
    images.length === 0 ? words : [{ type: 'input_text', text: words }, ...images.map(inputPart)];
  return { type: 'function_call_output', call_id: result.call_id, output };
};
