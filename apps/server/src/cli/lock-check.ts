import { lockHolder } from '@maestro/store';
import type { Check } from './checks.ts';
import type { FoundServer } from './running-server.ts';

/** A process that has the data folder and is no server that answers; none where all is as usual. */
export const checkLock = (data_folder: string, server: FoundServer | undefined): Check[] => {
  const holder = server ? undefined : lockHolder(data_folder);
  if (!holder) return [];
  return [
    {
      name: 'Lock',
      state: 'limited',
      found: `process ${holder.pid} has used the folder since ${holder.since} and does not answer`,
      todo: `It may be starting, stopping, backing up or restoring. If it hangs, end it: kill ${holder.pid}`,
    },
  ];
};
