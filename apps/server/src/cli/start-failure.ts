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
      if (!(error instanceof Error && 'syscall' in error && error.syscall === 'listen')) {
        return folderFailure(error, config);
      }
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
      return folderFailure(error, config);
  }
};

const folderReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a read-only disk',
  ENOTDIR: 'part of its path is a file',
  EEXIST: 'there is a file of that name',
  ENOENT: 'it cannot be made there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
};

/** A file error in the data folder, in words; every other error as it is. */
const folderFailure = (error: unknown, { data_folder }: ServerConfig): unknown => {
  const reason = folderReasons[codeOf(error) ?? ''];
  if (!reason || !(error instanceof Error && 'path' in error)) return error;
  const path = String(error.path);
  if (!path.startsWith(data_folder) && !data_folder.startsWith(path)) return error;
  return new StartError(
    `The data folder ${data_folder} cannot be used: ${reason}.`,
    'Put that right, or choose another folder with MAESTRO_DATA (or --data).',
    { cause: error },
  );
};
