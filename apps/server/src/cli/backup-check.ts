import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listBackups } from '@maestro/store';
import type { ServerConfig } from '../config.ts';
import { sizeOf } from './backup.ts';
import type { Check } from './checks.ts';
import { maestro } from './command.ts';
import type { FoundServer } from './running-server.ts';

const hour_ms = 3_600_000;
/** The daily one may be late by a night's sleep of the machine, but not by more. */
const late_hours = 48;

/** The newest backup in the data folder and its age. */
export const checkBackup = (
  { data_folder, backup_days }: Pick<ServerConfig, 'data_folder' | 'backup_days'>,
  server: FoundServer | undefined,
): Check => {
  const name = 'Backup';
  const now = Date.now();
  // What a clock that was ahead has dated says nothing.
  const newest = listBackups(data_folder).find(({ at }) => at <= now + hour_ms);
  const off = backup_days === 0 ? 'MAESTRO_BACKUP_DAYS is 0' : undefined;
  const todo = `At once: ${maestro} backup`;
  if (!newest) {
    const found = `none yet; ${off ?? 'the server makes one a day'}`;
    return { name, state: 'fine', found, ...(existsSync(join(data_folder, 'engine.json')) ? { todo } : {}) };
  }
  const hours = Math.max(0, Math.floor((now - newest.at) / hour_ms));
  const age = hours < 24 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
  const found = `${newest.path}, ${age} old, ${sizeOf(newest.bytes)}${off ? `; ${off}` : ''}`;
  if (server && !off && hours > late_hours)
    return {
      name,
      state: 'limited',
      found,
      todo: `The log of the server says why there is none since. ${todo}`,
    };
  return { name, state: 'fine', found };
};
