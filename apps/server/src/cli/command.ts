import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from './nearest.ts';

/** One option: what parseArgs needs, and what help says. `value` names its argument (`PORT`). */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly value?: string;
  readonly help: string;
}
type Options = Readonly<Record<string, Option>>;
type Values<O extends Options> = {
  readonly [K in keyof O]?: O[K]['type'] extends 'string' ? string : boolean;
};

/** Exit codes of every command. */
export const exit = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Command {
  /** After `maestro `: `run [options] "prompt"`. */
  readonly usage: string;
  readonly about: string;
  readonly options: Options;
  readonly examples: readonly string[];
  /** Parses and runs; gives the exit code. */
  run(argv: readonly string[]): Promise<number>;
}

/** The person asked for something that does not exist. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** How the command is called from a checkout; used in every text that says what to do. */
export const maestro = 'npm run maestro --';

/** A word as a person would type it in a shell. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

export const defineCommand = <const O extends Options>(definition: {
  readonly usage: string;
  readonly about: string;
  readonly options: O;
  readonly examples?: readonly string[];
  /** The most words it takes besides options. */
  readonly words?: number;
  run(values: Values<O>, words: readonly string[]): Promise<number>;
}): Command => {
  const { usage, about, options, examples = [], words = 0 } = definition;
  const name = usage.split(' ')[0] ?? usage;
  return {
    usage,
    about,
    options,
    examples,
    run: (argv) => {
      const parsed = parse(name, options, argv);
      const extra = parsed.positionals[words];
      if (extra !== undefined) {
        throw new UsageError(`"${extra}" is one word too many for "${name}". See: ${maestro} ${name} --help`);
      }
      return definition.run(parsed.values, parsed.positionals);
    },
  };
};

const parse = <O extends Options>(name: string, options: O, argv: readonly string[]) => {
  const config: ParseArgsConfig['options'] = {};
  for (const [key, option] of Object.entries(options)) {
    config[key] = option.short ? { type: option.type, short: option.short } : { type: option.type };
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: config,
      allowPositionals: true,
      allowNegative: true,
    });
    return { values: values as Values<O>, positionals };
  } catch (error) {
    throw new UsageError(inWords(name, options, error));
  }
};

/** parseArgs' complaint in our words. */
const inWords = (name: string, options: Options, error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  const option = message.match(/'(?:-\w, )?(--?[\w-]+)/)?.[1] ?? '';
  const see = `See: ${maestro} ${name} --help`;
  if (message.startsWith('Unknown option')) {
    const near = nearest(option.replace(/^--?(no-)?/, ''), Object.keys(options));
    return `"${name}" has no option ${option}.${near ? ` Did you mean --${near}?` : ''} ${see}`;
  }
  const value = options[option.replace(/^--/, '')]?.value;
  if (value) return `${option} needs a value: ${option} ${value}. ${see}`;
  if (option) return `${option} takes no value. ${see}`;
  return `${message} ${see}`;
};
