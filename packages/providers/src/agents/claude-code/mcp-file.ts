import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { McpServer } from '@maestro/ports';
import { mcpConfig } from './arguments.ts';

/** The MCP servers for one process, in a file that nobody else can read. `remove` it once the process has read it. */
export const writeMcpFile = async (
  servers: readonly McpServer[],
): Promise<{ readonly path: string; remove(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'maestro-mcp-'));
  const path = join(folder, 'mcp.json');
  await writeFile(path, JSON.stringify(mcpConfig(servers)), { mode: 0o600 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
};
