import type { ServerConfig } from '../config.ts';
import { StartError } from '../start-error.ts';

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** What the operating system refused, in words with a remedy; every other error as it is. */
export const startFailure = (error: unknown, config: ServerConfig): unknown => {
  const { host, port } = config;
  const cause = { cause: error };
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${port} on ${host} is in use by another program.`,
        `Choose another with --port ${port === 65_535 ? port - 1 : port + 1} (or MAESTRO_PORT), or any free one with --port 0.`,
        cause,
      );
    case 'EACCES':
      if (!(error instanceof Error && 'syscall' in error && error.syscall === 'listen')) return error;
      return new StartError(
        `This user may not listen on port ${port}.`,
        'Choose a port above 1023 with --port (or MAESTRO_PORT).',
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(
        `This machine has no address ${host} to listen on.`,
        'Leave --host out for this machine only, or name an address of this machine.',
        cause,
      );
    default:
      return error;
  }
};
