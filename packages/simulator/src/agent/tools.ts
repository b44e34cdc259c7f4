import type { Json } from '@maestro/protocol';
import type { OfferedTool } from '../conversation.ts';
import type { Call } from '../scenario.ts';

/** What the built-in agent can want of a tool, whatever it is called. */
export type Need = 'read' | 'write' | 'edit' | 'list' | 'glob' | 'search' | 'shell' | 'code';
export type Field = 'path' | 'content' | 'old' | 'new' | 'pattern' | 'command' | 'code' | 'language';

const NAMES: Readonly<Record<Need, readonly string[]>> = {
  read: ['read_file', 'read', 'Read'],
  write: ['write_file', 'write', 'Write'],
  edit: ['edit', 'edit_file', 'replace', 'Edit'],
  list: ['list_directory', 'list', 'ls', 'list_files'],
  glob: ['glob', 'find_files'],
  search: ['search', 'search_file_content', 'grep_search', 'grep'],
  shell: ['run_shell_command', 'shell', 'bash', 'run_command'],
  code: ['execute_code', 'run_code'],
};

const FIELDS: Readonly<Record<Field, readonly string[]>> = {
  path: ['path', 'file_path', 'absolute_path', 'dir_path', 'file', 'directory'],
  content: ['content', 'contents', 'text'],
  old: ['old_string', 'old_text', 'old', 'old_str', 'find'],
  new: ['new_string', 'new_text', 'new', 'new_str', 'replacement'],
  pattern: ['pattern', 'query', 'regex', 'glob', 'search'],
  command: ['command', 'cmd'],
  code: ['code', 'source'],
  language: ['language', 'lang'],
};

export const offered = (tools: readonly OfferedTool[], need: Need): OfferedTool | undefined =>
  NAMES[need].flatMap((name) => tools.filter((tool) => tool.name === name))[0];

/** A call of the tool, its arguments named as its schema names them. */
export const callOf = (tool: OfferedTool, input: Partial<Record<Field, string>>): Call => {
  const named = Object.entries(FIELDS).flatMap(([field, names]): [string, Json][] => {
    const value = input[field as Field];
    if (value === undefined) return [];
    return [[names.find((name) => tool.properties.includes(name)) ?? names[0] ?? field, value]];
  });
  return { name: tool.name, input: Object.fromEntries(named) };
};

/**
 * The text of a file as a read tool gives it: without line numbers, if every line has one. Notices in square brackets
 * after a blank line are the tool's; without the one that says so, the last line of the file has a line end.
 */
export const fileText = (output: string): string => {
  const [, text = output, notices = ''] = /^([\s\S]*?)\n\n((?:\[[^\n]*\]\n?)+)$/.exec(output) ?? [];
  const lines = text.replace(/\n$/, '').split('\n');
  const numbered = /^\s*\d+\s?(?:\t|→|\||: )\s?/;
  if (!lines.every((line) => numbered.test(line))) return output;
  const end = /no line end/i.test(notices) ? '' : '\n';
  return `${lines.map((line) => line.replace(numbered, '')).join('\n')}${end}`;
};
