import type { Tool, ToolSpec } from '@maestro/ports';
import type { Json, ToolSwitches } from '@maestro/protocol';
import { z } from 'zod';

/** Making one takes as long as reading a page of history, and it never changes. */
const made = new WeakMap<Tool['input'], Json>();

/** JSON Schema of a tool's arguments, as providers are sent it. */
export const parametersOf = (tool: Tool): Json => {
  const known = made.get(tool.input);
  if (known !== undefined) return known;
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: 'input' });
  made.set(tool.input, schema as Json);
  return schema as Json;
};

/** The tools of one turn: global switches, then the session's own. What is off is neither offered nor found. */
export class Toolbox {
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly specs: readonly ToolSpec[];

  constructor(all: readonly Tool[], disabled: ReadonlySet<string>, switches: ToolSwitches) {
    const on = all.filter((tool) => switches[tool.name] ?? !disabled.has(tool.name));
    this.#tools = new Map(on.map((tool) => [tool.name, tool]));
    this.specs = on.map((tool) => ({
      name: tool.name,
      description: tool.description,
      parameters: parametersOf(tool),
    }));
  }

  get(name: string): Tool | undefined {
    return this.#tools.get(name);
  }

  names(): string[] {
    return [...this.#tools.keys()];
  }
}
