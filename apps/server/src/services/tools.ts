import { parametersOf } from '@maestro/engine';
import type { Tool, ToolStore } from '@maestro/ports';
import type { ToolFacts } from '@maestro/protocol';
import type { ToolService } from '../deps.ts';

export const createToolService = (tools: readonly Tool[], store: ToolStore): ToolService => {
  const list = async (): Promise<ToolFacts[]> => {
    const disabled = await store.disabled();
    return tools.map((tool) => ({
      name: tool.name,
      title: tool.title,
      description: tool.description,
      kind: tool.kind,
      parameters: parametersOf(tool),
      is_enabled: !disabled.has(tool.name),
    }));
  };
  return {
    list,
    async setEnabled(name, enabled) {
      if (!tools.some((tool) => tool.name === name)) return undefined;
      await store.setEnabled(name, enabled);
      return (await list()).find((tool) => tool.name === name);
    },
  };
};
