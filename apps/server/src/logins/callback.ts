import { createServer, type Server } from 'node:http';
import { answerPage, type PageWords } from './callback-page.ts';

/** Where the browser comes back to after a login. */
export interface Callback {
  readonly port: number;
  /** Begins to take answers. Before, and for other paths, the page is not found. */
  answer(path: string, handle: (address: string) => Promise<{ status: number; page: PageWords }>): void;
  /** What is being answered is answered first. */
  close(): void;
}

/** Longest that a request of a browser may take to come in, ms. */
const request_ms = 10_000;
/** The longest address that is read. */
const head_limit = 16 * 1024;

/** Listens on 127.0.0.1 at the first of these ports that is free; undefined: none is. */
export const listenForCallback = async (ports: readonly number[]): Promise<Callback | undefined> => {
  for (const port of ports) {
    const server = createServer({ maxHeaderSize: head_limit, requestTimeout: request_ms });
    if (await listens(server, port)) return callbackOn(server);
  }
  return undefined;
};

const callbackOn = (server: Server): Callback => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The callback listens on no port.');
  let wanted = '';
  let handle: Parameters<Callback['answer']>[1] | undefined;
  server.on('request', (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (request.method !== 'GET' || !handle || path !== wanted) return answerPage(response, 404, notHere);
    handle(request.url ?? '')
      .then(({ status, page }) => answerPage(response, status, page))
      .catch(() => answerPage(response, 500, broken));
  });
  server.unref();
  return {
    port: address.port,
    answer: (path, with_) => {
      wanted = path;
      handle = with_;
    },
    close: () => {
      server.close();
      server.closeIdleConnections();
    },
  };
};

const listens = (server: Server, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => {
      server.removeAllListeners('error');
      resolve(true);
    });
  });

const notHere: PageWords = {
  title: 'Not found',
  text: 'The Maestro waits here for the end of a login. You can close this tab.',
};
const broken: PageWords = {
  title: 'Something went wrong',
  text: 'The Maestro could not finish the login. Look at its page, under Keys & accounts. You can close this tab.',
};
