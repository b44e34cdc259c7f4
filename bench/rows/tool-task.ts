import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ScenarioInput } from '@maestro/simulator';
import { ms, type Row } from '../row.ts';
import { askDirect } from '../support/direct.ts';
import { type House, startHouse } from '../support/house.ts';
import { LiveSocket } from '../support/live-socket.ts';
import { quantile } from '../support/statistics.ts';

const TASKS = 40;
const COMMAND = 'wc -l notes.txt';
const steps: readonly ScenarioInput[] = [
  { steps: [{ type: 'tool_calls', calls: [{ name: 'read_file', input: { path: 'notes.txt' } }] }] },
  { steps: [{ type: 'tool_calls', calls: [{ name: 'run_shell_command', input: { command: COMMAND } }] }] },
  { steps: [{ type: 'text', text: 'The file has 40 lines.' }] },
];

/** Time the provider was busy with what it was asked since the last `forget`. */
const providerTime = async ({ vendor }: House): Promise<number> =>
  (await vendor.answers()).reduce(
    (sum, { arrived_at, ended_at }) => sum + ((ended_at ?? arrived_at) - arrived_at),
    0,
  );

/** The floor: three requests, a file and a shell, with nothing kept and nobody told. */
const direct = async (house: House): Promise<void> => {
  const ask = () => askDirect(house.vendor.origin, [{ role: 'user', content: 'Count the lines.' }]);
  await ask();
  await readFile(join(house.folder, 'notes.txt'), 'utf8');
  await ask();
  await promisify(execFile)('/bin/sh', ['-c', COMMAND], { cwd: house.folder });
  await ask();
};

/** Wall time of `work` without the provider's share. */
const overhead = async (house: House, work: () => Promise<void>): Promise<number> => {
  await house.vendor.forget();
  await house.vendor.script(steps);
  const from = performance.now();
  await work();
  const wall = performance.now() - from;
  return wall - (await providerTime(house));
};

/** Read a file, run a command, answer: from sending the message to seeing the turn end. */
export const toolTask: Row = {
  name: 'tool-task',
  about: 'three-step task (read a file, run a command, answer) on a warm server, above provider time',
  quick: true,
  longest_s: 240,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const socket = await LiveSocket.open(house);
    const through = async (): Promise<number> => {
      const { id } = await house.session();
      const heard = await socket.follow(id);
      const took = await overhead(house, async () => {
        await house.client.sendMessage({ params: { session_id: id }, body: { text: 'Count the lines.' } });
        await socket.until(() => heard.ended > 0, 'sees the end of the task');
      });
      socket.unfollow(id);
      return took;
    };
    const rounds = plan.quick ? 2 : 4;
    for (let round = 0; round <= rounds; round += 1) {
      const ours: number[] = [];
      const floor: number[] = [];
      for (let task = 0; task < TASKS; task += 1) {
        floor.push(await overhead(house, () => direct(house)));
        ours.push(await through());
      }
      if (round > 0)
        yield {
          p50: ms(quantile(ours, 0.5), quantile(floor, 0.5)),
          p95: ms(quantile(ours, 0.95), quantile(floor, 0.95)),
        };
    }
    socket.close();
  },
};
