// An MCP server on standard input and output with one tool, `shout`.
import { createInterface } from 'node:readline';

const answers: Readonly<Record<string, (params: { [name: string]: unknown }) => object>> = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'tiny', version: '1' },
  }),
  'tools/list': () => ({
    tools: [
      {
        name: 'shout',
        description: 'Says a text loudly',
        inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      },
    ],
  }),
  'tools/call': ({ arguments: input }) => ({
    content: [{ type: 'text', text: `${String((input as { text?: unknown }).text).toUpperCase()}!` }],
  }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = answers[method];
  const rest = answer
    ? { result: answer(params ?? {}) }
    : { error: { code: -32601, message: `There is no ${method}.` } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...rest })}\n`);
});
