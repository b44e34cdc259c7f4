import type { Json } from '@maestro/protocol';
import type { OfferedTool } from '../conversation.ts';
import type { Call } from '../scenario.ts';

/** What the built-in agent can want of a tool, whatever it is called. */
export type Need = 'read' | 'write' | 'edit' | 'list' | 'glob' | 'search' | 'shell' | 'code';
export type Field =
  | 'path'
  | 'content'
  | 'old'
  | 'new'
  | 'pattern'
  | 'command'
  | 'code'
  | 'language'
  | 'start';

export type Input = Partial<Record<Field, string | number>>;

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
  start: ['start_line', 'offset'],
};

export const offered = (tools: readonly OfferedTool[], need: Need): OfferedTool | undefined =>
  NAMES[need].flatMap((name) => tools.filter((tool) => tool.name === name))[0];

/** A call of the tool, its arguments named as its schema names them. */
export const callOf = (tool: OfferedTool, input: Input): Call => {
  const named = Object.entries(FIELDS).flatMap(([field, names]): [string, Json][] => {
    const value = input[field as Field];
    if (value === undefined) return [];
    return [[names.find((name) => tool.properties.includes(name)) ?? names[0] ?? field, value]];
  });
  return { name: tool.name, input: Object.fromEntries(named) };
};

/** What a read tool says of a file after its text, in square brackets: `[The file goes on … Read on with start_line 2001.]`. */
const NOTICES = /\n\n((?:\[[^\n]*\]\n?)+)$/;
const noticesIn = (output: string): string => NOTICES.exec(output)?.[1] ?? '';

/** Not more than the number and its mark: white space after it belongs to the line. */
const NUMBER = /^\s*\d+(?:\t|→|\s\||: )/;

/**
 * The text of a file as a read tool gives it: without the tool's notices and line numbers, if every line has one.
 * The last line of the file has a line end unless a notice says that it has none.
 */
export const fileText = (output: string): string => {
  const lines = output.replace(NOTICES, '').replace(/\n$/, '').split('\n');
  if (!lines.every((line) => NUMBER.test(line))) return output;
  const text = lines.map((line) => line.replace(NUMBER, '')).join('\n');
  return /no line end/i.test(noticesIn(output)) ? text : `${text}\n`;
};

/** The line to read on from, where the tool gave only a part. */
export const readOnFrom = (output: string): number | undefined => {
  const line = /start_line (\d+)/.exec(noticesIn(output))?.[1];
  return line === undefined ? undefined : Number(line);
};
