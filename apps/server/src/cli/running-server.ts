import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from './own-http.ts';

/** A server that answers on this data folder. */
export interface FoundServer {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  /** null: the token file is missing or may not be read by this user. */
  readonly token: string | null;
}

/** Time a server on this machine has to answer `GET /health`. */
const patience_ms = 2000;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

/** The bearer token of a data folder, or null where there is none that this user may read. */
export const readToken = (dataFolder: string): string | null => {
  try {
    return readFileSync(join(dataFolder, 'token'), 'utf8').trim() || null;
  } catch {
    return null;
  }
};

/** The address `http://host:port` a client on this machine uses. */
export const urlOf = (host: string, port: number): string => {
  const everywhere = host === '0.0.0.0' || host === '::' || host === '';
  const name = everywhere ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

/** Reads `<data>/server.json` and asks the server it names whether it is up. */
export const findServer = async (dataFolder: string): Promise<FoundServer | undefined> => {
  const path = join(dataFolder, 'server.json');
  if (!existsSync(path)) return undefined;
  const facts = readJson(path);
  if (typeof facts !== 'object' || facts === null || !('pid' in facts) || !('port' in facts))
    return undefined;
  const pid = Number(facts.pid);
  if (!isAlive(pid)) return undefined;
  const host = 'address' in facts ? String(facts.address) : '127.0.0.1';
  const url = urlOf(host, Number(facts.port));
  try {
    const response = await ask(`${url}/health`, {
      method: 'GET',
      headers: {},
      credentials: 'same-origin',
      signal: AbortSignal.timeout(patience_ms),
    });
    if (!response.ok) return undefined;
  } catch {
    return undefined;
  }
  return {
    url,
    pid,
    version: 'version' in facts ? String(facts.version) : '',
    token: readToken(dataFolder),
  };
};
