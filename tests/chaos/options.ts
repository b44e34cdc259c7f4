import { parseArgs } from 'node:util';

export interface Options {
  /** Times the server is killed. */
  readonly kills: number;
  /** Times the database is killed. */
  readonly database_kills: number;
  readonly sessions: number;
  /** The run ends after this, whatever is left to do. */
  readonly minutes: number;
  readonly seed: number;
  /** Minutes of a soak in place of kills; 0: none. */
  readonly soak: number;
}

export const help = `npm run test:chaos -- [options]

  --kills 200           kill -9 of the server so many times
  --database-kills 20   kill -9 of its database so many times
  --sessions 20         sessions that work meanwhile
  --minutes 60          end after so many minutes, whatever is left
  --seed 1              choose moments and messages by this number
  --soak 30             no kills: let the sessions work for so many minutes and watch memory and latency
`;

/** undefined: help was asked for. Throws in words for what is not understood. */
export const readOptions = (args: readonly string[]): Options | undefined => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '200' },
      'database-kills': { type: 'string', default: '20' },
      sessions: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      soak: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const number = (name: Exclude<keyof typeof values, 'help'>): number => {
    const value = Number(values[name]);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} must be a number from 0.`);
    return value;
  };
  return {
    kills: number('kills'),
    database_kills: number('database-kills'),
    sessions: number('sessions'),
    minutes: number('minutes'),
    seed: number('seed'),
    soak: number('soak'),
  };
};
