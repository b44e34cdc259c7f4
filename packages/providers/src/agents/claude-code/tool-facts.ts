import type { AgentQuestion } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { type Fields, fields, word } from '../../vendors/shared/json.ts';

type Risk = AgentQuestion['risk'];

/** Its own tools that change nothing: reading, planning, handing work to a sub-agent whose calls are asked for one by one. */
const reads = new Set([
  'Read',
  'Glob',
  'Grep',
  'LS',
  'NotebookRead',
  'TodoRead',
  'TodoWrite',
  'Task',
  'Agent',
  'TaskOutput',
  'ToolSearch',
  'ReportFindings',
  'ListAgents',
  'BashOutput',
]);
const writes = new Set(['Write', 'Edit', 'MultiEdit', 'NotebookEdit']);

/** What a call may do. What is not known, and every tool of an MCP server, counts as a command. */
export const riskOf = (tool: string): Risk =>
  reads.has(tool) ? 'read' : writes.has(tool) ? 'write' : 'execute';

export const pathsOf = (input: Json): string[] => {
  const of = fields(input);
  return ['file_path', 'notebook_path', 'path'].flatMap((name) => word(of[name]) ?? []);
};

/** One line that says what a call does. */
export const titleOf = (tool: string, input: Json): string => {
  const of = fields(input);
  const server = /^mcp__(.+?)__(.+)$/.exec(tool);
  if (server) return `${server[1]}: ${server[2]}`;
  const named = titles[tool]?.(of);
  return named === undefined ? tool : firstLine(named);
};

const about =
  (words: string, ...names: string[]) =>
  (of: Fields): string | undefined => {
    const found = names.flatMap((name) => word(of[name]) ?? [])[0];
    return found === undefined ? undefined : `${words} ${found}`;
  };

const titles: Readonly<Record<string, (of: Fields) => string | undefined>> = {
  Read: about('Read', 'file_path'),
  Write: about('Write', 'file_path'),
  Edit: about('Edit', 'file_path'),
  MultiEdit: about('Edit', 'file_path'),
  NotebookEdit: about('Edit', 'notebook_path'),
  Bash: about('Run:', 'command'),
  Glob: about('Find', 'pattern'),
  Grep: about('Search', 'pattern'),
  LS: about('List', 'path'),
  WebFetch: about('Fetch', 'url'),
  WebSearch: about('Search the web:', 'query'),
  Task: about('Sub-agent:', 'description'),
  Agent: about('Sub-agent:', 'description'),
  Skill: about('Skill', 'skill', 'command'),
  ToolSearch: about('Look for tools:', 'query'),
};

const firstLine = (text: string): string => {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
};
