import { tmpdir } from 'node:os';
import { startProgram } from './program.ts';

export interface ProgramQuestion {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take, ms. */
  readonly patience_ms: number;
}

/**
 * What a program prints until it ends by itself ('' where it cannot be started). undefined: it did not end in time, or the
 * signal came first; then it is ended, with what it started.
 */
export const askProgram = async (
  { program, args, env, patience_ms }: ProgramQuestion,
  signal?: AbortSignal,
): Promise<string | undefined> => {
  const late = AbortSignal.timeout(patience_ms);
  const until = signal ? AbortSignal.any([late, signal]) : late;
  const lines: string[] = [];
  const asked = startProgram({ program, args, cwd: tmpdir(), env, onLine: (line) => lines.push(line) });
  const given_up = Promise.withResolvers<undefined>();
  const giveUp = (): void => given_up.resolve(undefined);
  until.addEventListener('abort', giveUp, { once: true });
  if (until.aborted) giveUp();
  const said = asked.ended.then(() => lines.join('\n'));
  const first = await Promise.race([said, given_up.promise]);
  until.removeEventListener('abort', giveUp);
  if (first !== undefined) return first;
  await asked.end('at_once');
  return undefined;
};
