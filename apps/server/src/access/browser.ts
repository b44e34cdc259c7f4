import { createHmac, randomBytes } from 'node:crypto';
import type { BrowserSessionStore, Clock } from '@maestro/ports';
import type { TokenManager } from './token.ts';

/**
 * Browser sessions: a random cookie, stored as an HMAC under the bearer token, so that a rotated token ends them all,
 * those of a stopped server included.
 */
export interface BrowserSessions {
  readonly cookie_name: string;
  /** `Set-Cookie` of a new session. */
  start(): Promise<string>;
  /** The session's key when the request's `Cookie` header holds a valid one. */
  find(header: string | undefined): Promise<string | undefined>;
  /** Is this session still valid? Its idle time starts again. */
  valid(key: string): Promise<boolean>;
  /** Ends a session; gives the `Set-Cookie` that removes it. */
  end(key: string): Promise<string>;
}

const IDLE_MS = 12 * 3_600_000;
const LONGEST_S = 30 * 86_400;
/** A session found valid is not asked about again for this long, so that a page's requests do not each write a row. */
const FRESH_MS = 30_000;

const cookieOf = (header: string, name: string): string | undefined =>
  header
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

export const createBrowserSessions = (
  port: number,
  store: BrowserSessionStore,
  token: TokenManager,
  clock: Clock,
): BrowserSessions => {
  const name = `maestro_${port}`;
  const seen = new Map<string, number>();
  const keyOf = (value: string): string => createHmac('sha256', token.current()).update(value).digest('hex');
  const cookie = (value: string, seconds: number): string =>
    `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;

  const valid = async (key: string): Promise<boolean> => {
    const until = seen.get(key);
    if (until !== undefined && until > clock.monotonic()) return true;
    if (!(await store.touch(key, IDLE_MS))) {
      seen.delete(key);
      return false;
    }
    if (seen.size > 1000) seen.clear();
    seen.set(key, clock.monotonic() + FRESH_MS);
    return true;
  };

  return {
    cookie_name: name,
    start: async () => {
      const value = randomBytes(32).toString('base64url');
      await store.create(keyOf(value), new Date(clock.now() + LONGEST_S * 1000));
      return cookie(value, LONGEST_S);
    },
    find: async (header) => {
      const value = header === undefined ? undefined : cookieOf(header, name);
      if (value === undefined || value === '') return undefined;
      const key = keyOf(value);
      return (await valid(key)) ? key : undefined;
    },
    valid,
    end: async (key) => {
      seen.delete(key);
      await store.delete(key);
      return cookie('', 0);
    },
  };
};
