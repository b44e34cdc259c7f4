import { type ConfiguredKey, KEY_NAMES, readConfig } from '../config.ts';
import { dataFolder } from '../data-folder.ts';
import { defineCommand, UsageError } from './command.ts';
import { serve } from './serve.ts';
import { serverOptions } from './start.ts';

/** A pace at which a person can read along, tokens per second. */
const pace = 60;

const simulated: ConfiguredKey = { value: 'simulated', source: 'simulator' };

export const demo = defineCommand({
  usage: 'demo [options]',
  about: [
    'Starts Maestro with simulated vendors: no key is needed, no model is asked and nothing leaves this machine.',
    'It has a data folder of its own, beside the usual one. Ctrl-C stops it.',
  ].join('\n'),
  options: serverOptions,
  examples: ['demo', 'demo --port 0'],
  run: async (flags) => {
    // Not the user's own database or keys, unless a database is named for this very demo.
    const env = { ...process.env, DATABASE_URL: undefined, OPENAI_ORG_ID: undefined };
    const data = flags.data ?? `${dataFolder(undefined, process.env)}-demo`;
    const config = readConfig({ ...flags, data }, env);
    if (!config.ok) throw new UsageError(config.error.message);

    const { startSimulator } = await import('@maestro/simulator');
    const { HttpProviderId, LoginProvider } = await import('@maestro/protocol');
    const simulator = await startSimulator({ tokens_per_second: pace });
    try {
      return await serve({
        ...config.value,
        demo: true,
        log: process.stderr.isTTY ? 'file' : 'stderr',
        keys: Object.fromEntries(KEY_NAMES.map((name) => [name, simulated])),
        base_urls: Object.fromEntries(HttpProviderId.options.map((id) => [id, simulator.base(id)])),
        oauth: Object.fromEntries(LoginProvider.options.map((id) => [id, simulator.login(id).settings])),
        login_base_urls: Object.fromEntries(
          LoginProvider.options.map((id) => [id, simulator.login(id).base_url]),
        ),
      });
    } finally {
      await simulator.close();
    }
  },
});
