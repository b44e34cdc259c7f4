import { join } from 'node:path';
import { systemClock } from '@maestro/ports';
import {
  createPrices,
  createProviders,
  createTokenCounter,
  createWire,
  loadProfiles,
} from '@maestro/providers';
import { readConfig } from '../../apps/server/src/config.ts';
import { Budget } from './budget.ts';
import { checkVendor } from './check-vendor.ts';
import { help, readOptions } from './options.ts';
import { targetsOf } from './targets.ts';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const run = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2));
  const config = readConfig({}, process.env);
  const problem = !options.ok ? options.error : !config.ok ? config.error : undefined;
  if (!options.ok || !config.ok) {
    say(`${problem?.message}\n\n${help}`);
    return 2;
  }
  const { cap, only, models, help: wanted } = options.value;
  if (wanted) {
    say(help);
    return 0;
  }
  const { profiles } = await loadProfiles({ folder: join(config.value.data_folder, 'profiles') });
  const log = {
    info: () => undefined,
    warn: (event: string, fields?: Record<string, unknown>) =>
      say(`  ${event} ${JSON.stringify(fields ?? {})}`),
    error: (event: string, fields?: Record<string, unknown>) =>
      say(`  ${event} ${JSON.stringify(fields ?? {})}`),
  };
  const wire = createWire({ profiles, clock: systemClock, log, env: process.env });
  const remembered = new Map<string, string>();
  const providers = createProviders({
    wire,
    memory: {
      get: (provider, endpoint) => remembered.get(`${provider} ${endpoint}`),
      set: async (provider, endpoint, profile) => {
        remembered.set(`${provider} ${endpoint}`, profile);
      },
    },
    tokens: createTokenCounter(),
    clock: systemClock,
    log,
  });
  const prices = createPrices({ file: join(config.value.data_folder, 'prices.json'), report: say });
  const budget = new Budget(cap, prices);
  const counts = { fine: 0, failed: 0, skipped: 0 };

  const targets = targetsOf(providers, config.value, process.env);
  const unknown = [...only, ...models.keys()].find((name) => !targets.some((target) => target.name === name));
  if (unknown !== undefined) {
    say(
      `There is no vendor or preset "${unknown}". Known are ${targets.map(({ name }) => name).join(', ')}.`,
    );
    return 2;
  }
  for (const target of targets) {
    if (only.length > 0 && !only.includes(target.name)) continue;
    const outcome =
      target.type === 'skip'
        ? { type: 'skipped' as const, why: target.why }
        : await checkVendor(target, models.get(target.name), budget, prices);
    counts[outcome.type] += 1;
    const words = { fine: 'fine', failed: 'FAILED', skipped: 'skipped' }[outcome.type];
    say(
      `${target.name.padEnd(12)} ${words.padEnd(8)} ${outcome.type === 'fine' ? outcome.found : outcome.why}`,
    );
  }
  wire.close();
  say(
    `\nSpent $${budget.spent.toFixed(6)} of at most $${cap}. ${counts.fine} fine, ${counts.failed} failed, ${counts.skipped} skipped.`,
  );
  if (counts.failed > 0) return 1;
  if (counts.fine > 0) return 0;
  say('Nothing was checked: set a key, such as ANTHROPIC_API_KEY.');
  return 2;
};

process.exitCode = await run();
