import type { AgentEvent } from '@maestro/ports';
import { type Fields, fields, list, text } from '../../vendors/shared/json.ts';

/** As long as Claude Code gives an MCP server to start where `MCP_TIMEOUT` (ms) does not say, ms. */
const usual_ms = 30_000;

/** How long Claude Code waits for an MCP server before it works without, ms. */
export const mcpPatience = (env: Readonly<Record<string, string>>): number => {
  const given = Number(env['MCP_TIMEOUT']);
  return given > 0 ? given : usual_ms;
};

/** The MCP servers that are not started yet, by the answer to `mcp_status`; undefined: this line is no such answer. */
export const pendingServers = (message: Fields): readonly string[] | undefined => {
  if (message['type'] !== 'control_response') return undefined;
  const servers = fields(fields(message['response'])['response'])['mcpServers'];
  if (!Array.isArray(servers)) return undefined;
  return list(servers).flatMap((each) => {
    const { name, status } = fields(each);
    return status === 'pending' ? (text(name) ?? []) : [];
  });
};

/** A turn that does not begin looks like a model that thinks. */
export const waitsFor = (names: readonly string[], patience_ms: number): AgentEvent => {
  const servers = names.length === 1 ? 'the MCP server' : 'the MCP servers';
  return {
    type: 'notice',
    code: 'mcp_waiting',
    level: 'warning',
    text: `Claude Code waits for ${servers} ${names.join(', ')} to start, at most ${Math.round(patience_ms / 1000)} s, and then works without. If that is always so, look at the entry in mcp.json, or start The Maestro with a smaller MCP_TIMEOUT (ms).`,
  };
};
