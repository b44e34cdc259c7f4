import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { ApiError, type Route } from '@maestro/protocol';
import { WebSocket } from 'ws';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request with every header under the test's control (fetch does not let one set Host or Origin). */
export const request = (
  base: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Uint8Array,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = httpRequest(
      { hostname, port, method, path, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

/** The error of an answer; throws when it has none of the API's shape. */
export const errorOf = (answer: Answer): ApiError['error'] => ApiError.parse(JSON.parse(answer.text)).error;

/** The path of a route with an id that fits its schema. */
export const pathOf = (route: Route, id = 'nobody'): string =>
  route.path
    .replace(':provider', 'anthropic')
    .replaceAll(/:(\w+)/g, route.path.includes('/blobs/') ? 'a'.repeat(64) : id);

/** How an upgrade is answered: 101, or the status of the refusal. */
export const upgradeStatus = (url: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, { headers });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('unexpected-response', (sent, response) => {
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    socket.on('error', () => undefined);
  });
