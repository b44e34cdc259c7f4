import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Route, routes } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, items, startHouse } from '../support/house.ts';
import { maestro } from '../support/program.ts';
import { visitVendor } from './support/vendor-page.ts';

let house: House;
const secrets = new Map<string, string>();
/** All that was said or stored, by where. */
const places = new Map<string, Buffer>();

/** Each way in which a text may be written down. */
const writings = (secret: string): readonly [string, string][] => {
  const bytes = Buffer.from(secret);
  // Inside a longer base64 text it has one of three forms, by where it begins; its ends depend on what stands beside it.
  const base64 = [0, 1, 2].map((shift): [string, string] => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    return ['base64', text.slice(shift === 0 ? 0 : 4, -4)];
  });
  const url = encodeURIComponent(secret);
  return [
    ['plain', secret],
    ...base64,
    ...base64.map(([, text]): [string, string] => [
      'base64url',
      text.replaceAll('+', '-').replaceAll('/', '_'),
    ]),
    ['hexadecimal', bytes.toString('hex')],
    ['UTF-16', bytes.toString('utf8').split('').join('\0')],
    ...(url === secret ? [] : [['URL-encoded', url] as [string, string]]),
  ];
};

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.isFile() ? [path] : [];
  });

beforeAll(async () => {
  house = await startHouse({
    env: { ANTHROPIC_API_KEY: ['sk', 'ant', 'environment', 'secret+/='].join('-') },
  });
  const { client, simulator, live } = house;
  secrets.set('key of the environment', ['sk', 'ant', 'environment', 'secret+/='].join('-'));
  const keys = {
    valid: ['sk', 'saved', 'works', 'a+b/c=='].join('-'),
    refused: ['sk', 'saved', 'revoked', 'd+e/f=='].join('-'),
  };
  for (const [name, api_key] of Object.entries(keys)) {
    secrets.set(`saved key (${name})`, api_key);
    await client.createCredential({ body: { provider: 'openai', name, api_key } });
  }
  const watch = live.watchServer();
  for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
    const { flow_id, url } = await client.startLogin({
      params: { provider },
      body: { method: provider === 'openai' ? 'callback' : 'paste', acknowledge_terms: true },
    });
    const typed = await visitVendor(url);
    const given =
      provider === 'openai'
        ? undefined
        : await client.completeLogin({ params: { flow_id }, body: { code: typed } });
    if (!given) places.set('page of the callback', Buffer.from(await (await fetch(typed)).text()));
    const code = URL.parse(typed)?.searchParams.get('code') ?? typed.split('#')[0] ?? '';
    secrets.set(`code of ${provider}`, code);
    const { credential_id } = (await client.getLogin({ params: { flow_id } })).flow;
    if (!credential_id) throw new Error(`The login of ${provider} is not done.`);
    const params = { id: credential_id };
    await client.testCredential({ params });
    simulator.logins.expire(provider);
    await client.testCredential({ params });
    simulator.logins.fail(provider, { kind: 'status', status: 503 });
    places.set(
      `failed refresh of ${provider}`,
      Buffer.from(JSON.stringify(await client.refreshCredential({ params }))),
    );
    await client.refreshCredential({ params });
    const model = { anthropic: 'claude-sonnet-5', openai: 'gpt-6-sol', gemini: 'gemini-3.1-pro-preview' }[
      provider
    ];
    const work = async (auth_type: 'oauth' | 'api_key', text: string) => {
      const working_directory = house.folder({ 'input.txt': 'words\n' });
      const session = await house.session({ provider, model, auth_type, working_directory });
      const seen = await house.ask(session.id, text);
      places.set(`items of ${provider} with ${auth_type}: ${text}`, Buffer.from(JSON.stringify(items(seen))));
    };
    await work('oauth', 'read input.txt and write its upper case to out.txt');
    await work('api_key', 'read input.txt and write its upper case to out.txt');
    await work('oauth', 'run `env | sort; cat /proc/self/environ` and tell me');
    // Answers that quote what was sent, and logins that are over.
    simulator.logins.revoke(provider);
    await work('oauth', 'hello');
    places.set(
      `refresh of ${provider} when it is over`,
      Buffer.from(JSON.stringify(await client.refreshCredential({ params }))),
    );
  }
  // Begun, and never completed.
  const open = await client.startLogin({
    params: { provider: 'openai' },
    body: { method: 'paste', acknowledge_terms: true },
  });
  await client.cancelLogin({ params: { flow_id: open.flow_id } });
  for (const family of simulator.logins.families)
    for (const [index, { token }] of [...family.access_tokens, ...family.refresh_tokens].entries())
      secrets.set(`token ${index} of ${family.provider}`, token);
  const { client_secret } = simulator.login('gemini').settings;
  if (client_secret) secrets.set('client secret of Google', client_secret);
  places.set(
    'live facts',
    Buffer.from(JSON.stringify([watch.credentials.value, watch.logins.value, watch.providers.value])),
  );
  watch.close();
}, 180_000);
afterAll(() => house[Symbol.asyncDispose]());

/** Where a secret is found, and how it is written there. */
const found = (place: string, bytes: Buffer): string[] =>
  [...secrets].flatMap(([name, secret]) =>
    writings(secret).flatMap(([how, text]) => (bytes.includes(text) ? [`${name}, ${how}, in ${place}`] : [])),
  );

describe('no secret (S3)', () => {
  it('is looked for in vain: a text with each of them is found in every writing', () => {
    expect(secrets.size).toBeGreaterThan(12);
    for (const [name, secret] of secrets) {
      const around = `{"a":"${secret}"}`;
      for (const text of [
        around,
        Buffer.from(around).toString('base64'),
        Buffer.from(`x${around}`).toString('base64url'),
        encodeURIComponent(around),
        Buffer.from(around).toString('hex'),
      ])
        expect(found('here', Buffer.from(text)).some((line) => line.startsWith(name))).toBe(true);
    }
  });

  it('is in an item, an error, a page or a live event', () => {
    expect(places.size).toBeGreaterThan(15);
    expect([...places].flatMap(([place, bytes]) => found(place, bytes))).toEqual([]);
  });

  it('is in an answer of the API', async () => {
    const { sessions: cards } = await house.client.listSessions({ query: {} });
    const ids: Record<string, string[]> = { session_id: cards.map(({ id }) => id) };
    ids['message_id'] = [];
    for (const { id } of cards) {
      const { messages } = await house.client.listMessages({
        params: { session_id: id },
        query: { limit: 50 },
      });
      ids['message_id'].push(...messages.map((message) => message.id));
    }
    ids['flow_id'] = (await house.client.logins()).flows.map(({ id }) => id);
    let read = 0;
    for (const route of Object.values<Route>(routes).filter(
      ({ method, open }) => method === 'GET' && !open,
    )) {
      const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
      if (names.some((name) => !ids[name])) continue;
      const all = names.reduce(
        (paths, name) => paths.flatMap((path) => (ids[name] ?? []).map((id) => path.replace(`:${name}`, id))),
        [route.path as string],
      );
      for (const path of all) {
        const answer = await house.server.fetch(path);
        if (answer.status === 404) continue;
        expect([path, answer.status]).toEqual([path, 200]);
        expect(found(path, Buffer.from(await answer.arrayBuffer()))).toEqual([]);
        read += 1;
      }
    }
    expect(read).toBeGreaterThan(30);
  });

  it('is in the database, the log, a backup or any file but the key', async () => {
    const said = Buffer.from(house.server.stdout() + house.server.stderr());
    expect(said.length).toBeGreaterThan(100);
    expect(found('what the server said', said)).toEqual([]);
    const backup = await maestro(['backup', join(house.server.data, 'scan.backup')], {
      env: { MAESTRO_DATA: house.server.data },
    });
    expect(backup.code).toBe(0);
    // A clean stop writes every page and the whole log of the database to its files.
    await house.server.kill('SIGTERM');
    const files = filesIn(house.server.data);
    expect(files.some((path) => statSync(path).size > 1e6)).toBe(true);
    for (const path of files) expect(found(path, readFileSync(path))).toEqual([]);
  }, 120_000);
});
