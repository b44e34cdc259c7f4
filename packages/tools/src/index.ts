import type { Tool } from '@maestro/ports';
import { editTool } from './edit.ts';
import { executeCodeTool } from './execute-code.ts';
import { globTool } from './glob.ts';
import { listDirectoryTool } from './list-directory.ts';
import { readFileTool } from './read-file.ts';
import { runShellCommandTool } from './run-shell-command.ts';
import { searchTool } from './search.ts';
import { writeFileTool } from './write-file.ts';

export { childEnvironment } from './child-environment.ts';
export { ripgrepPath } from './ripgrep.ts';

/** The built-in tools, in the order people are shown them. */
export const tools: readonly Tool[] = [
  readFileTool,
  writeFileTool,
  editTool,
  listDirectoryTool,
  globTool,
  searchTool,
  executeCodeTool,
  runShellCommandTool,
];
