import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tells other programs on this machine where the server is: `{pid, address, port, version, started_at}`. */
export const writeServerFile = (
  data_folder: string,
  facts: { address: string; port: number; version: string; started_at: string },
): void => {
  const path = join(data_folder, 'server.json');
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `${JSON.stringify({ pid: process.pid, ...facts })}\n`, { mode: 0o644 });
  renameSync(draft, path);
};

export const removeServerFile = (data_folder: string): void =>
  rmSync(join(data_folder, 'server.json'), { force: true });
