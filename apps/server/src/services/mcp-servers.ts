import { readFileSync, statSync } from 'node:fs';
import type { McpServer } from '@maestro/ports';
import { z } from 'zod';

const words = z.record(z.string(), z.string()).default({});
const Remote = z.object({ url: z.url({ protocol: /^https?$/ }), headers: words });

/** One entry of `mcpServers`, in the form that Claude Code, Claude Desktop and others read. */
const Entry = z.union([
  z
    .object({
      type: z.literal('stdio').optional(),
      command: z.string().min(1),
      args: z.array(z.string()).default([]),
      env: words,
    })
    .transform(({ command, args, env }) => ({ type: 'stdio' as const, command, args, env })),
  Remote.extend({ type: z.enum(['http', 'streamable-http']).optional() }).transform(({ url, headers }) => ({
    type: 'http' as const,
    url,
    headers,
  })),
  Remote.extend({ type: z.literal('sse') }).transform(({ url, headers }) => ({
    type: 'sse' as const,
    url,
    headers,
  })),
]);
const File = z.object({ mcpServers: z.record(z.string(), z.unknown()) });

/** Names that stay whole inside the name of a tool (`mcp__files__read`). */
const name_form = /^[A-Za-z0-9_-]{1,64}$/;

export interface McpFileOptions {
  /** May be missing: then there are none. */
  readonly file: string;
  /** Told in words, once per version of the file, what of it is not used. */
  readonly report: (problem: string) => void;
}

/**
 * The MCP servers of `mcp.json`, read when the file has changed since the last question. A file that cannot be read
 * leaves what was read before in force; an entry that is wrong is left out and the others are used.
 */
export const readMcpServers = ({ file, report }: McpFileOptions): (() => Promise<readonly McpServer[]>) => {
  let version = 'none';
  let servers: readonly McpServer[] = [];
  return async () => {
    const facts = statSync(file, { throwIfNoEntry: false });
    const now = facts === undefined ? 'none' : `${facts.mtimeMs} ${facts.size}`;
    if (now !== version) {
      version = now;
      servers = facts === undefined ? [] : (read(file, report) ?? servers);
    }
    return servers;
  };
};

const read = (file: string, report: McpFileOptions['report']): McpServer[] | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    report(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const outer = File.safeParse(json);
  if (!outer.success) {
    report(`${file} must hold {"mcpServers": {"<name>": {"command": "…", "args": ["…"]}}}.`);
    return undefined;
  }
  return Object.entries(outer.data.mcpServers).flatMap(([name, value]): McpServer[] => {
    const problem = (words: string): [] => {
      report(`${file}: mcpServers.${name} ${words} This server is not used.`);
      return [];
    };
    if (!name_form.test(name)) return problem('must be named by 1 to 64 letters, digits, _ and -.');
    const parsed = Entry.safeParse(value);
    return parsed.success
      ? [{ name, ...parsed.data }]
      : problem('needs a "command" with "args" and "env", or a "url" with "type" (http, sse) and "headers".');
  });
};
