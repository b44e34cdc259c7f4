import { listBackups } from '@maestro/store';
import { sizeOf } from './backup.ts';
import type { Check } from './checks.ts';
import { maestro } from './command.ts';

const day_ms = 86_400_000;

/** The newest backup in the data folder and its age. */
export const checkBackup = (data_folder: string): Check => {
  const name = 'Backup';
  const [newest] = listBackups(data_folder);
  if (!newest)
    return {
      name,
      state: 'fine',
      found: 'none yet; the server makes one a day',
      todo: `At once: ${maestro} backup`,
    };
  const days = (Date.now() - newest.at) / day_ms;
  const age = days < 1 ? `${Math.floor(days * 24)} hours` : `${Math.floor(days)} days`;
  return { name, state: 'fine', found: `${newest.path}, ${age} old, ${sizeOf(newest.bytes)}` };
};
