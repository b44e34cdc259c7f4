import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@maestro/client';
import { type LoginFlow, type LoginMethod, LoginProvider } from '@maestro/protocol';
import { StartError } from '../start-error.ts';
import { ask } from './ask.ts';
import { hasDisplay, openBrowser } from './browser.ts';
import { defineCommand, exit, maestro, UsageError } from './command.ts';
import { completeByPaste } from './login-paste.ts';
import { ownServer } from './own-server.ts';

/** How often the server is asked whether the person is done, ms. */
const look_ms = 500;

export const login = defineCommand({
  usage: 'login <anthropic|openai|gemini> [options]',
  about:
    'Logs the running server in to a vendor with your account, in place of an API key. The vendor may not permit it: its terms are shown first.',
  words: 1,
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder of the server (MAESTRO_DATA).' },
    device: { type: 'boolean', help: 'Type a short code on the page of the vendor (OpenAI).' },
    paste: { type: 'boolean', help: 'Copy the code, or the address of the last page, back here.' },
    name: { type: 'string', value: 'NAME', help: 'What the login is called in the list.' },
    again: { type: 'string', value: 'ID', help: 'Log in to this saved login again.' },
    'accept-terms': { type: 'boolean', help: 'You have read what the terms of the vendor say.' },
  },
  examples: ['login anthropic --paste', 'login openai --device'],
  run: async (flags, [who]) => {
    const provider = LoginProvider.safeParse(who).data;
    if (!provider)
      throw new UsageError(`Log in where? ${maestro} login <${LoginProvider.options.join('|')}>`);
    if (flags.device && flags.paste) throw new UsageError('--device and --paste are two ways: choose one.');
    const client = await ownServer(flags.data, 'login');
    const facts = (await client.logins()).providers.find((each) => each.provider === provider);
    if (facts?.missing) throw new StartError(`${facts.name} cannot be used yet.`, facts.missing);
    const accepted = facts?.acknowledged_at !== null || (flags['accept-terms'] ?? false);
    if (!accepted) {
      process.stderr.write(`${facts.terms.text}\n${facts.terms.url}\n`);
      if ((await ask('Log in all the same? Type yes: '))?.trim().toLowerCase() !== 'yes') {
        process.stderr.write('Nothing was done.\n');
        return exit.failed;
      }
    }
    const method: LoginMethod | undefined = flags.device ? 'device' : flags.paste ? 'paste' : undefined;
    const begin = async (): Promise<LoginFlow> => {
      const { flow } = await client.startLogin({
        params: { provider },
        body: {
          ...(method === undefined ? {} : { method }),
          ...(flags.name === undefined ? {} : { name: flags.name }),
          ...(flags.again === undefined ? {} : { credential_id: flags.again as never }),
          acknowledge_terms: true,
        },
      });
      process.stdout.write(`${flow.url}\n`);
      if (flow.user_code) process.stderr.write(`Open this address and type the code ${flow.user_code}\n`);
      else process.stderr.write('Open this address and log in.\n');
      return flow;
    };
    const flow = await begin();
    if (flow.method === 'callback' && hasDisplay(process.env)) await openBrowser(flow.url);
    return flow.method === 'paste' ? completeByPaste({ client, begin }, flow) : follow(client, flow);
  },
});

/** Looks until the person is done in the browser. Gives the exit code. */
const follow = async (client: Client, flow: LoginFlow): Promise<number> => {
  const params = { flow_id: flow.id };
  for (;;) {
    const { flow: now } = await client.getLogin({ params });
    if (now.state === 'done') {
      process.stderr.write('Logged in.\n');
      return exit.ok;
    }
    if (now.state !== 'waiting' && now.state !== 'exchanging') {
      process.stderr.write(`${now.message ?? `The login is over (${now.state}). Begin it again.`}\n`);
      return exit.failed;
    }
    await wait(look_ms);
  }
};
