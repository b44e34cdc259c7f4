import type { AgentRequest, McpServer } from '@maestro/ports';
import type { AccessMode, Effort, Json } from '@maestro/protocol';
import { mcpPatience } from './mcp-wait.ts';

/** Tools that would ask in a terminal of its own, or act when no turn runs. */
const never = [
  'AskUserQuestion',
  'EnterPlanMode',
  'ExitPlanMode',
  'EnterWorktree',
  'ExitWorktree',
  'CronCreate',
  'CronDelete',
  'CronList',
  'ScheduleWakeup',
  'Monitor',
  'Workflow',
];
/** Refused anyway; not offered, they are not tried. */
const never_read_only = ['Bash', 'Write', 'Edit', 'NotebookEdit'];

const efforts: Readonly<Record<Effort, string | null>> = {
  off: null,
  low: 'low',
  medium: 'medium',
  high: 'high',
  max: 'max',
};

/** The model that leaves the choice to the person's own settings of Claude Code. */
export const own_choice = 'default';

export interface Launch {
  /** The conversation to go on with; null: a new one. */
  readonly resume: string | null;
  /** The file of the MCP servers. A command line can be read by every user of the machine, and those hold secrets. */
  readonly mcp_file: string;
  /** What the settings of the working directory deny. */
  readonly denied: readonly string[];
}

/**
 * The command line of one process. Permissions stay on: each call is asked for on standard input, and the session's
 * access mode decides (`--permission-prompt-tool stdio`). The person's own settings are in force too: what they deny is
 * denied. Those of the working directory, which may be somebody else's, name programs that run without a question: they
 * are in force with full access only; of others what they deny and the CLAUDE.md there count. MCP servers of either are
 * not mounted, ours are. The system prompt goes over standard input: one argument holds no more than 128 KB.
 */
export const argumentsOf = (request: AgentRequest, { resume, mcp_file, denied }: Launch): string[] => {
  const { model, effort, access, max_turns } = request;
  const level = effort && efforts[effort];
  return [
    ...['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
    ...['--include-partial-messages', '--permission-prompt-tool', 'stdio', '--permission-mode', 'manual'],
    ...(model === own_choice ? [] : ['--model', model]),
    // Rendered anew, so that another prompt of the session counts from the next message on.
    ...['--system-prompt-snapshot', 'off'],
    ...['--mcp-config', mcp_file, '--strict-mcp-config'],
    ...['--disallowedTools', disallowed(access)],
    ...(access === 'full' ? [] : foreignFolder(request.working_directory, denied)),
    ...(level ? ['--effort', level] : []),
    ...(max_turns === null ? [] : ['--max-turns', String(max_turns)]),
    ...(resume === null ? [] : ['--resume', resume]),
  ];
};

const disallowed = (access: AccessMode): string =>
  [...never, ...(access === 'read_only' ? never_read_only : [])].join(',');

const foreignFolder = (working_directory: string, denied: readonly string[]): string[] => [
  ...['--setting-sources', 'user', '--add-dir', working_directory],
  ...(denied.length === 0 ? [] : ['--settings', JSON.stringify({ permissions: { deny: denied } })]),
];

/** The content of the file that `mcp_file` names. */
export const mcpConfig = (servers: readonly McpServer[]): Json => ({
  mcpServers: Object.fromEntries(
    servers.map((server): [string, Json] => [
      server.name,
      server.type === 'stdio'
        ? { type: 'stdio', command: server.command, args: [...server.args], env: { ...server.env } }
        : { type: server.type, url: server.url, headers: { ...server.headers } },
    ]),
  ),
});

/**
 * Over the person's environment: nothing of its own goes on between turns, and it does not replace itself meanwhile.
 * The CLAUDE.md of the working directory is read also where its settings are not. It waits for its MCP servers as long as
 * people are told.
 */
export const environmentOf = (
  effort: Effort | null,
  env: Readonly<Record<string, string>>,
): Record<string, string> => ({
  MCP_TIMEOUT: String(mcpPatience(env)),
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: '1',
  DISABLE_AUTOUPDATER: '1',
  ...(effort === 'off' ? { MAX_THINKING_TOKENS: '0' } : {}),
});
