import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { StartError } from '../start-error.ts';
import { UsageError } from './command.ts';

/** The passphrase: the first line of a file, or typed by the person, unseen. */
export const readPassphrase = async (file: string | undefined, twice: boolean): Promise<string> => {
  const value = file === undefined ? await ask(twice) : fromFile(file);
  if (value === '') throw new UsageError('The passphrase is empty.');
  return value;
};

const fromFile = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`The passphrase file cannot be read: ${why}`, 'Check --passphrase-file.', {
      cause: error,
    });
  }
};

const ask = async (twice: boolean): Promise<string> => {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(
      'There is nobody to type a passphrase. Put it into a file and name that: --passphrase-file FILE',
    );
  const first = await line('Passphrase for the key: ');
  if (twice && (await line('The same again: ')) !== first) throw new UsageError('The two are not the same.');
  return first;
};

const line = async (question: string): Promise<string> => {
  process.stderr.write(question);
  // What is typed is not shown.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
};
