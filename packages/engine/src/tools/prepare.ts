import type { Tool } from '@maestro/ports';
import type { ToolCall } from '../turn/step-items.ts';
import type { Toolbox } from './toolbox.ts';

export type Prepared =
  | { type: 'ready'; tool: Tool; input: Record<string, unknown> }
  | { type: 'wrong'; reason: string };

/** Finds the tool and checks the arguments; what is wrong is said so that the model can mend it. */
export const prepare = (call: ToolCall, toolbox: Toolbox): Prepared => {
  const tool = toolbox.get(call.name);
  if (!tool) {
    const names = toolbox.names();
    const offered =
      names.length > 0 ? `Available: ${names.join(', ')}.` : 'No tools are switched on in this session.';
    return { type: 'wrong', reason: `There is no tool named ${call.name} here. ${offered}` };
  }
  if (call.input_error)
    return { type: 'wrong', reason: `The arguments of ${call.name} are not valid JSON: ${call.input_error}` };
  const parsed = tool.input.safeParse(call.input);
  if (parsed.success) return { type: 'ready', tool, input: parsed.data };
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`,
  );
  return { type: 'wrong', reason: `The arguments of ${call.name} are not right. ${problems.join('; ')}.` };
};
