import { spawn } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { messageOf, StartError } from '../errors.ts';
import { findBinaries } from './binaries.ts';
import { environment } from './cluster-folder.ts';
import { closedAncestor, identity } from './identity.ts';

const ANSWER_MS = 10_000;

/**
 * Why the managed PostgreSQL cannot run on this machine, or undefined where it can. A data folder it cannot reach is
 * no reason: that is for the person to put right, and its start says so.
 */
export const whyNotManaged = async (data_folder: string): Promise<string | undefined> => {
  try {
    const who = identity();
    mkdirSync(data_folder, { recursive: true });
    if (closedAncestor(realpathSync(data_folder), who)) return undefined;
    const { postgres } = await findBinaries(who, data_folder);
    return await complaint(postgres, who.run ?? {});
  } catch (error) {
    if (error instanceof StartError) return messageOf(error);
    throw error;
  }
};

/** What comes of asking a program for its version when it is not the version. */
const complaint = (program: string, who: { uid?: number; gid?: number }): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = spawn(program, ['--version'], {
      ...who,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environment(),
      timeout: ANSWER_MS,
    });
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk;
    });
    child.on('error', (error) => resolve(`${program} cannot be run: ${error.message}`));
    child.on('close', (code, signal) =>
      resolve(
        code === 0 ? undefined : `${program} ended with ${signal ?? code}: ${words.trim().slice(-500)}`,
      ),
    );
  });
