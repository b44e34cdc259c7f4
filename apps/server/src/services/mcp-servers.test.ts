import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readMcpServers } from './mcp-servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'mcp-'));
const file = join(folder, 'mcp.json');
afterEach(() => rmSync(file, { force: true }));

const reader = () => {
  const problems: string[] = [];
  return { problems, read: readMcpServers({ file, report: (problem) => problems.push(problem) }) };
};

describe('the MCP servers that agents are given (P11)', () => {
  it('are none without a file, and are read again when it changes', async () => {
    const { read, problems } = reader();
    expect(await read()).toEqual([]);
    writeFileSync(file, JSON.stringify({ mcpServers: { a: { command: 'node', args: ['a.js'] } } }));
    expect(await read()).toEqual([{ name: 'a', type: 'stdio', command: 'node', args: ['a.js'], env: {} }]);
    writeFileSync(file, '{');
    utimesSync(file, 1, 1);
    expect(await read()).toHaveLength(1);
    expect(problems).toEqual([expect.stringContaining('cannot be read')]);
  });

  it('stand in the usual form, over HTTP too; a wrong one is named and left out', async () => {
    const url = 'http://127.0.0.1:4801/mcp';
    const mcpServers = {
      here: { type: 'stdio', command: 'uvx', args: ['x'], env: { KEY: '1' } },
      there: { type: 'http', url, headers: { authorization: 'Bearer x' } },
      plain: { url },
      old: { type: 'sse', url },
      'no good name': { command: 'x' },
      empty: {},
    };
    writeFileSync(file, JSON.stringify({ mcpServers }));
    const { read, problems } = reader();
    expect((await read()).map((server) => [server.name, server.type])).toEqual([
      ['here', 'stdio'],
      ['there', 'http'],
      ['plain', 'http'],
      ['old', 'sse'],
    ]);
    expect(problems).toEqual([
      expect.stringContaining('mcpServers.no good name must be named'),
      expect.stringContaining('mcpServers.empty needs'),
    ]);
  });
});
