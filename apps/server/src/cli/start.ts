import { readConfig } from '../config.ts';
import { defineCommand, UsageError } from './command.ts';
import { serve } from './serve.ts';

/** Options that `start` and `demo` share. */
export const serverOptions = {
  data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
  host: {
    type: 'string',
    value: 'ADDRESS',
    help: 'Address to listen on (127.0.0.1). Any other lets other machines in.',
  },
  port: {
    type: 'string',
    short: 'p',
    value: 'PORT',
    help: 'Port to listen on (4747); 0 takes any free one.',
  },
  open: { type: 'boolean', help: 'Open the browser (the default); --no-open does not.' },
  'database-url': {
    type: 'string',
    value: 'URL',
    help: 'Your own PostgreSQL (DATABASE_URL) in place of the managed one.',
  },
} as const;

export const start = defineCommand({
  usage: 'start [options]',
  about: 'Starts the server on this machine and opens its page in the browser. Ctrl-C stops it.',
  options: serverOptions,
  examples: ['start', 'start --port 0 --no-open'],
  run: async (flags) => {
    const config = readConfig(flags, process.env);
    if (!config.ok) throw new UsageError(config.error.message);
    return serve({ ...config.value, log: process.stderr.isTTY ? 'file' : 'stderr' });
  },
});
