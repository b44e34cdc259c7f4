import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStores } from '@maestro/store';
import { startTestServer } from '../../tests/support/server.ts';
import { removeFolder, temporaryFolder } from '../../tests/support/temporary.ts';
import { ms, type Row, type Sample } from '../row.ts';
import { remember } from '../support/leftovers.ts';
import { startVendor } from '../support/vendor.ts';

/** Milliseconds from the start of the process to each of these lines of its log, which holds the time. */
const moments = (stderr: string, started: number): Record<string, number> => {
  const lines = stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const at = (event: string): number =>
    Date.parse(lines.find(({ msg }) => msg === event)?.time ?? '') - started;
  return { 'until postgres ready': at('postgres.ready'), 'until listening': at('ready') };
};

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What each phase of opening the store takes, in this process, where its modules are loaded already. */
const storePhases = async (data: string): Promise<Record<string, Sample>> => {
  const stores = await openStores({ data_folder: data, log: quiet });
  await stores.close();
  return Object.fromEntries(
    Object.entries(stores.phases).map(([name, took]) => [`store: ${name}`, ms(took)] as const),
  );
};

/** A start of Node that does nothing. */
const nodeStart = (): number => {
  const from = performance.now();
  execFileSync(process.execPath, ['-e', '0']);
  return performance.now() - from;
};

/** `maestro start` until it says that it is ready; each is a process of its own. */
export const start: Row = {
  name: 'start',
  about: 'process start → ready: first start (makes the database) and second start, with its phases',
  quick: true,
  longest_s: 240,
  rounds: async function* (plan) {
    await using vendor = await startVendor();
    const root = temporaryFolder('bench');
    try {
      const once = async (data: string) => {
        const floor = nodeStart();
        const at = Date.now();
        const from = performance.now();
        const server = await startTestServer({ data, simulator: vendor, env: plan.env });
        const ready = performance.now() - from;
        const forget = remember(async () => {
          await server.kill('SIGKILL');
          await removeFolder(root);
        });
        const stopFrom = performance.now();
        await server.stop();
        forget();
        return {
          ready: ms(ready, floor),
          stop: performance.now() - stopFrom,
          moments: moments(server.stderr(), at),
        };
      };
      const rounds = plan.quick ? 3 : 9;
      for (let round = 0; round <= rounds; round += 1) {
        const data = join(root, `data-${round}`);
        const first = await once(data);
        const second = await once(data);
        const phases = await storePhases(data);
        rmSync(data, { recursive: true, force: true });
        if (round === 0) continue;
        yield {
          'first start': first.ready,
          'second start': second.ready,
          ...Object.fromEntries(Object.entries(second.moments).map(([name, took]) => [name, ms(took)])),
          ...phases,
          stop: ms(second.stop),
        };
      }
    } finally {
      await removeFolder(root);
    }
  },
};
