import type { Ask, OpenSocket } from '@maestro/client';

// Not by `import`: that reads every export of the module, and one of them loads all that is to be left out here.
const { request } = process.getBuiltinModule('node:http');

/**
 * Asks a server of ours over node:http. Node's own `fetch` and `WebSocket` are loaded with their first use, which costs
 * a command 50 ms, a third of its time until the provider is asked.
 */
export const ask: Ask = async (address, init) => {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Ask>>>();
  const { method, headers, body, signal } = init;
  const sent = request(address, { method, headers, ...(signal ? { signal } : {}) }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const status = response.statusCode ?? 0;
      resolve({
        ok: status >= 200 && status < 300,
        status,
        text: async () => bytes.toString('utf8'),
        json: async () => JSON.parse(bytes.toString('utf8')),
        arrayBuffer: async () => new Uint8Array(bytes).buffer,
      });
    });
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
};

/** Opens sockets with `ws`, which the server brings anyway. */
export const loadSocket = async (): Promise<OpenSocket> => {
  const { WebSocket } = await import('ws');
  return (url, token) =>
    new WebSocket(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
};
