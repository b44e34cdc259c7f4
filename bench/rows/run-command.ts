import { join } from 'node:path';
import { startProgram } from '../../tests/support/program.ts';
import { ms, type Row } from '../row.ts';
import { type House, startHouse } from '../support/house.ts';
import { median, now } from '../support/statistics.ts';

const RUNS = 10;
const root = join(import.meta.dirname, '..', '..');
const bundle = join(root, 'dist', 'server', 'main.mjs');
const launcher = join(root, 'scripts', 'maestro.mjs');

/** Starts a program and gives the time until the provider had its request. */
const untilAsked = async (house: House, args: readonly string[]): Promise<number> => {
  await house.vendor.forget();
  const from = now();
  const program = startProgram(process.execPath, args, {
    cwd: house.folder,
    env: { MAESTRO_DATA: house.data },
  });
  const { code } = await program.ended;
  const [request] = await house.vendor.answers();
  if (code !== 0 || !request) throw new Error(`${args.join(' ')} ended with ${code}: ${program.stderr()}`);
  return request.arrived_at - from;
};

const least = (origin: string): string => `
  const http = require('node:http');
  const body = JSON.stringify({model: 'claude-sonnet-5', max_tokens: 100, stream: true, messages: [{role: 'user', content: 'say hi'}]});
  const headers = {'content-type': 'application/json', 'x-api-key': 'sk-ant-test', 'anthropic-version': '2023-06-01'};
  http.request('${origin}/v1/messages', {method: 'POST', headers}, (response) => response.resume()).end(body);`;

/** `maestro run` while a server runs; the floor is a program that does nothing but ask. */
export const runCommand: Row = {
  name: 'run-command',
  about: '`maestro run` with a server running: from process start to the provider having the request',
  quick: true,
  longest_s: 240,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const task = ['run', '--provider', 'anthropic', '--model', 'claude-sonnet-5', 'say hi'];
    const rounds = plan.quick ? 1 : 3;
    for (let round = 0; round <= rounds; round += 1) {
      const times = { direct: [] as number[], bundle: [] as number[], launcher: [] as number[] };
      for (let run = 0; run < RUNS; run += 1) {
        times.direct.push(await untilAsked(house, ['-e', least(house.vendor.origin)]));
        times.bundle.push(await untilAsked(house, [bundle, ...task]));
        times.launcher.push(await untilAsked(house, [launcher, ...task]));
      }
      if (round > 0)
        yield {
          'the program': ms(median(times.bundle), median(times.direct)),
          'with the launcher': ms(median(times.launcher), median(times.direct)),
        };
    }
  },
};
