import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '@maestro/ports';
import type { Database } from '../database.ts';
import { fileReason, messageOf, StartError } from '../errors.ts';
import { isLocked } from '../folder-lock.ts';
import { backupFolder } from './folder.ts';
import type { SealedKey } from './format.ts';
import { type Written, writeBackup } from './write.ts';

/**
 * A PGlite database can be reached only by the server that runs it. Another process asks by a file in a folder that
 * only the owner may enter: `<name>.ask` names where to, `<name>.done` or `<name>.failed` answers.
 */
interface Request {
  readonly path: string;
  readonly version: string;
  readonly key: SealedKey | null;
}

const POLL_MS = 100;
const folderOf = (data_folder: string): string => join(backupFolder(data_folder), 'requests');

const put = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

/** Serves requests until it is ended. */
export const serveRequests = (db: Database, data_folder: string, log: Log): (() => Promise<void>) => {
  const folder = folderOf(data_folder);
  mkdirSync(backupFolder(data_folder), { recursive: true, mode: 0o700 });
  // What an earlier server left unanswered is nobody's any more.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  let working: Promise<void> = Promise.resolve();
  const serve = async (): Promise<void> => {
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.ask'))) {
      const ask = join(folder, name);
      const answer = join(folder, basename(name, '.ask'));
      try {
        const request: Request = JSON.parse(readFileSync(ask, 'utf8'));
        const written = await db.session((own) => writeBackup(own, request));
        put(`${answer}.done`, JSON.stringify(written));
      } catch (error) {
        log.warn('backup.failed', { message: messageOf(error) });
        put(`${answer}.failed`, messageOf(error));
      } finally {
        rmSync(ask, { force: true });
      }
    }
  };
  const watcher = watch(folder, () => {
    working = working
      .then(serve)
      .catch((error: unknown) => log.warn('backup.requests', { message: messageOf(error) }));
  });
  watcher.on('error', (error) => log.warn('backup.requests', { message: messageOf(error) }));
  watcher.unref();
  return async () => {
    watcher.close();
    await working;
  };
};

/** Asks the server that runs on the folder, and waits as long as it lives. */
export const askRunning = async (
  data_folder: string,
  request: Request,
  signal?: AbortSignal,
): Promise<Written> => {
  const answer = join(folderOf(data_folder), randomBytes(6).toString('hex'));
  try {
    put(`${answer}.ask`, JSON.stringify(request));
  } catch (error) {
    throw new StartError(
      `The server on ${data_folder} runs, but cannot be asked for a backup: ${fileReason(error)}. If it has just been started, try again in a moment.`,
      { cause: error },
    );
  }
  const [done, failed] = [`${answer}.done`, `${answer}.failed`];
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (existsSync(done)) return JSON.parse(readFileSync(done, 'utf8'));
      if (existsSync(failed)) throw new StartError(readFileSync(failed, 'utf8'));
      if (!isLocked(data_folder))
        throw new StartError(
          'The server ended while it made the backup. Try it again now that it is stopped.',
        );
      await wait(POLL_MS);
    }
  } finally {
    for (const path of [`${answer}.ask`, done, failed]) rmSync(path, { force: true });
  }
};
