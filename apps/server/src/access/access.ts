import type { IncomingMessage } from 'node:http';
import { type Failure, fail, ok, type Result } from '@maestro/ports';
import type { BrowserSessions } from './browser.ts';
import type { Failures } from './failures.ts';
import type { OwnNames } from './origin.ts';
import type { TokenManager } from './token.ts';

/** Who is asking: the holder of the bearer token, or a browser that was let in. */
export type Caller =
  | { readonly kind: 'token'; readonly generation: string }
  | { readonly kind: 'browser'; readonly key: string; readonly generation: string };

export interface Access {
  /** Host and Origin, for every request before anything else. undefined: pass. */
  guard(request: IncomingMessage): Failure | undefined;
  /** The credential. `strict`: a browser must also send our Origin (writes and sockets). */
  identify(request: IncomingMessage, strict: boolean): Promise<Result<Caller>>;
  /** Is a caller let in earlier still welcome? For open sockets. */
  stillValid(caller: Caller): Promise<boolean>;
}

export interface AccessParts {
  readonly names: OwnNames;
  readonly token: TokenManager;
  readonly browsers: BrowserSessions;
  readonly failures: Failures;
}

const howToGetIn =
  'Send the token of the data folder as "Authorization: Bearer …" (print it with: maestro token), or open the page with the address that maestro start prints.';

export const createAccess = ({ names, token, browsers, failures }: AccessParts): Access => {
  const refuse = (message: string): Result<never> => {
    const wait = failures.note();
    if (wait === undefined) return fail('unauthorized', message);
    return fail('rate_limited', `Too many wrong credentials. Try again in ${wait} s.`, {
      retry_after_s: wait,
    });
  };

  return {
    guard: (request) => {
      const { host, origin } = request.headers;
      if (!names.host(host))
        return {
          code: 'misdirected',
          message: `This server does not answer for the host "${host ?? ''}". Use 127.0.0.1 or localhost with its port, or list the name in MAESTRO_ALLOWED_HOSTS.`,
        };
      if (origin !== undefined && !names.origin(origin))
        return {
          code: 'forbidden',
          message: `Pages of "${origin}" may not call this server. List its name in MAESTRO_ALLOWED_HOSTS if it is this server behind a proxy.`,
        };
      return undefined;
    },

    identify: async (request, strict) => {
      const { authorization, cookie, origin } = request.headers;
      const site = request.headers['sec-fetch-site'];
      if (site !== undefined && site !== 'same-origin' && site !== 'none')
        return fail('forbidden', 'Pages of another site or port may not call this server.');
      if (authorization !== undefined) {
        const [, sent] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
        if (sent === undefined)
          return refuse(`The Authorization header is not a bearer token. ${howToGetIn}`);
        if (!token.check(sent)) return refuse(`The token is not the one of this server. ${howToGetIn}`);
        return ok({ kind: 'token', generation: token.generation() });
      }
      const generation = token.generation();
      const key = await browsers.find(cookie);
      if (key === undefined) return fail('unauthorized', `No credential. ${howToGetIn}`);
      if (strict && origin === undefined)
        return fail('forbidden', 'A browser must send the Origin header with changes and sockets.');
      return ok({ kind: 'browser', key, generation });
    },

    stillValid: async (caller) => {
      if (caller.generation !== token.generation()) return false;
      return caller.kind === 'token' || browsers.valid(caller.key);
    },
  };
};
