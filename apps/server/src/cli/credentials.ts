import type { Credential } from '@maestro/protocol';
import { defineCommand, exit } from './command.ts';
import { ownServer } from './own-server.ts';

export const credentials = defineCommand({
  usage: 'credentials [--json]',
  about: 'Lists the saved keys and logins of the running server, with their state. Never shows a secret.',
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder of the server (MAESTRO_DATA).' },
    json: { type: 'boolean', help: 'Print them as JSON.' },
  },
  run: async (flags) => {
    const client = await ownServer(flags.data, 'credentials');
    const list = (await client.credentials()).credentials;
    if (flags.json) process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
    else process.stdout.write(list.length > 0 ? list.map(asLines).join('') : 'Nothing is saved.\n');
    return exit.ok;
  },
});

const states = {
  valid: 'works',
  unchecked: 'not tested',
  refused: 'refused',
  needs_login: 'needs a login',
} as const;

const asLines = (credential: Credential): string => {
  const { id, provider, name, auth_type, state, account, last4, is_default, is_enabled, expires_at } =
    credential;
  const kind = auth_type === 'oauth' ? `login${account ? ` of ${account}` : ''}` : `key …${last4}`;
  const marks = [
    states[state],
    ...(is_default ? ['default'] : []),
    ...(is_enabled ? [] : ['paused']),
    ...(expires_at ? [`token until ${expires_at}`] : []),
  ];
  const detail = credential.detail ? `    ${credential.detail}\n` : '';
  return `${provider} "${name}"  ${kind}  ${marks.join(', ')}  ${id}\n${detail}`;
};
