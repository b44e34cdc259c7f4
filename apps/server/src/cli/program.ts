import { type Command, exit, maestro, UsageError } from './command.ts';
import { nearest } from './nearest.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command; a command's own file is loaded only when it is asked for. */
const commands: Readonly<Record<string, Entry>> = {
  start: {
    summary: 'Start the server and open the page.',
    load: async () => (await import('./start.ts')).start,
  },
  demo: {
    summary: 'The same with simulated vendors: no key needed, nothing leaves the machine.',
    load: async () => (await import('./demo.ts')).demo,
  },
  run: {
    summary: 'Let an agent do one task in this folder, without a browser.',
    load: async () => (await import('./run.ts')).run,
  },
  open: {
    summary: 'Open the page of the running server in the browser.',
    load: async () => (await import('./open.ts')).open,
  },
  doctor: {
    summary: 'Check what Maestro needs and say what to do.',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  backup: {
    summary: 'Write everything into one file.',
    load: async () => (await import('./backup.ts')).backup,
  },
  restore: {
    summary: 'Put a backup in the place of what is there.',
    load: async () => (await import('./restore.ts')).restore,
  },
  login: {
    summary: 'Use the account of a vendor in place of a key.',
    load: async () => (await import('./login.ts')).login,
  },
  credentials: {
    summary: 'List the saved keys and logins.',
    load: async () => (await import('./credentials.ts')).credentials,
  },
  logout: {
    summary: 'Delete a saved key or login.',
    load: async () => (await import('./logout.ts')).logout,
  },
  vault: {
    summary: 'Show or change the key that seals credentials.',
    load: async () => (await import('./vault.ts')).vault,
  },
  token: {
    summary: 'Print the access token, or make a new one.',
    load: async () => (await import('./token.ts')).token,
  },
  version: {
    summary: 'Print the version.',
    load: async () => (await import('./version.ts')).versionCommand,
  },
};

/** Errors whose message is meant for the person. */
const expected: ReadonlySet<string> = new Set(['StartError', 'ApiFailure']);

const asksHelp = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  return own.includes('--help') || own.includes('-h');
};

const dispatch = async (argv: readonly string[]): Promise<number> => {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-v') return dispatch(['version']);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    if (name === 'help' && rest[0] !== undefined) return dispatch([rest[0], '--help']);
    const { helpOfAll } = await import('./help.ts');
    const text = helpOfAll(Object.entries(commands).map(([each, { summary }]) => [each, summary]));
    if (name !== undefined) process.stdout.write(text);
    else process.stderr.write(text);
    return name === undefined ? exit.usage : exit.ok;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) {
    const near = nearest(name, Object.keys(commands));
    throw new UsageError(
      `There is no command "${name}".${near ? ` Did you mean "${near}"?` : ''} See: ${maestro} --help`,
    );
  }
  const command = await entry.load();
  if (asksHelp(rest)) {
    const { helpOf } = await import('./help.ts');
    process.stdout.write(helpOf(command));
    return exit.ok;
  }
  return command.run(rest);
};

/** Runs one command to its end. Every expected failure is said in words on standard error. */
export const runProgram = async (argv: readonly string[]): Promise<number> => {
  // The reader of our output went away (`maestro run … | head`): there is nobody left to work for.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exit.failed);
    throw error;
  });
  try {
    return await dispatch(argv);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`);
      return exit.usage;
    }
    // By name: the store has its own StartError, and loading rooms to compare classes would cost every command.
    if (expected.has(error.name)) {
      process.stderr.write(`${error.message}\n`);
      if ('remedy' in error) process.stderr.write(`${error.remedy}\n`);
      return exit.failed;
    }
    process.stderr.write(`Something went wrong that should not:\n${error.stack ?? error.message}\n`);
    return exit.failed;
  }
};
