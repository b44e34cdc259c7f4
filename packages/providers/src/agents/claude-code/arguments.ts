import type { AgentRequest, McpServer } from '@maestro/ports';
import type { AccessMode, Effort, Json } from '@maestro/protocol';

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

/**
 * The command line of one process. Permissions stay on: each call is asked for on standard input, and the session's
 * access mode decides (`--permission-prompt-tool stdio`). The person's own settings are in force too: what they deny is
 * denied. Their MCP servers are not mounted, ours are.
 */
export const argumentsOf = (request: AgentRequest, resume: string | null): string[] => {
  const { model, system, effort, access, mcp_servers, max_turns } = request;
  const level = effort && efforts[effort];
  return [
    ...['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
    ...['--include-partial-messages', '--permission-prompt-tool', 'stdio', '--permission-mode', 'manual'],
    ...(model === own_choice ? [] : ['--model', model]),
    // Rendered anew, so that another prompt of the session counts from the next message on.
    ...['--append-system-prompt', system, '--system-prompt-snapshot', 'off'],
    ...['--mcp-config', JSON.stringify({ mcpServers: mcpConfig(mcp_servers) }), '--strict-mcp-config'],
    ...['--disallowedTools', disallowed(access)],
    ...(level ? ['--effort', level] : []),
    ...(max_turns === null ? [] : ['--max-turns', String(max_turns)]),
    ...(resume === null ? [] : ['--resume', resume]),
  ];
};

const disallowed = (access: AccessMode): string =>
  [...never, ...(access === 'read_only' ? never_read_only : [])].join(',');

const mcpConfig = (servers: readonly McpServer[]): { [name: string]: Json } =>
  Object.fromEntries(
    servers.map((server): [string, Json] => [
      server.name,
      server.type === 'stdio'
        ? { type: 'stdio', command: server.command, args: [...server.args], env: { ...server.env } }
        : { type: server.type, url: server.url, headers: { ...server.headers } },
    ]),
  );

/** Over the person's environment: nothing of its own goes on between turns, and it does not replace itself meanwhile. */
export const environmentOf = (effort: Effort | null): Record<string, string> => ({
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  DISABLE_AUTOUPDATER: '1',
  ...(effort === 'off' ? { MAX_THINKING_TOKENS: '0' } : {}),
});
