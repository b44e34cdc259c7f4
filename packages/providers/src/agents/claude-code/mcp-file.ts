import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { McpServer } from '@maestro/ports';
import { mcpConfig } from './arguments.ts';

/** The MCP servers for one process, in a file that nobody else can read. `remove` it once the process has read it. */
export const writeMcpFile = (servers: readonly McpServer[]): { readonly path: string; remove(): void } => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-mcp-'));
  const path = join(folder, 'mcp.json');
  writeFileSync(path, JSON.stringify(mcpConfig(servers)), { mode: 0o600 });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
};
