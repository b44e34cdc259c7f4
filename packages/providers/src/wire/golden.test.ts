import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  answer,
  failedSend,
  fixtures,
  patient,
  rawServer,
  rawTlsServer,
  sent,
  shipped,
  signalled,
  testWire,
  textOf,
  tlsFiles,
} from '../../test/kit.ts';
import { bindHeaders, type Placeholders } from './header-profile.ts';

const names = (await readdir(fixtures)).filter((name) => name.endsWith('.txt')).sort();

/** What the captures left blank, and the values they were made with. */
const secrets: Readonly<Record<string, string>> = {
  '<API_KEY>': 'key-1234567890',
  '<TOKEN>': 'token-1234567890',
  '<ACCOUNT_ID>': 'account-1',
  '<RUNTIME_UUID>': '0b5f0e5e-0000-4000-8000-000000000001',
  '<INSTALLATION_UUID>': '0b5f0e5e-0000-4000-8000-000000000002',
  '<BASE64_16_BYTES>': 'AAAAAAAAAAAAAAAAAAAAAA==',
  '<custom-host>': 'custom.test:8080',
};

interface Golden {
  readonly id: string;
  readonly head: string;
  readonly method: string;
  readonly path: string;
  readonly values: Placeholders;
  readonly body: Buffer | null;
}

const golden = async (name: string): Promise<Golden> => {
  const text = await readFile(new URL(name, fixtures), 'utf8');
  const [block = ''] = text.slice(text.indexOf('\n') + 1).split('\n\n');
  const lines = block.trimEnd().split('\n');
  const body = /<N>/.test(block) ? Buffer.from('{"any":"body"}') : null;
  let head = `${lines.join('\r\n')}\r\n\r\n`.replace('<N>', String(body?.length));
  for (const [blank, value] of Object.entries(secrets)) head = head.replaceAll(blank, value);
  const [method = '', path = ''] = (lines[0] ?? '').split(' ');
  return {
    id: name.replace(/\.txt$/, ''),
    head,
    method,
    path,
    body,
    values: {
      api_key: secrets['<API_KEY>'],
      access_token: secrets['<TOKEN>'],
      account_id: secrets['<ACCOUNT_ID>'],
      session_id: secrets['<RUNTIME_UUID>'],
      installation_id: secrets['<INSTALLATION_UUID>'],
      websocket_key: secrets['<BASE64_16_BYTES>'],
      host: /^host: (.*)\r$/im.exec(head)?.[1] ?? '',
      length: String(body?.length),
      model: /gemini-[0-9][a-z0-9.-]*/.exec(head)?.[0] ?? 'none',
      platform: 'linux',
      arch: 'x64',
      stainless_os: 'Linux',
      stainless_arch: 'x64',
      retry_count: '0',
      org_id: 'org-123',
    },
  };
};

const pathOf = (id: string, values: Placeholders): string => {
  const address =
    shipped
      .get(id)
      ?.url.replace('{host}', 'x')
      .replace('{model}', values.model ?? '') ?? '';
  return address.replace(/^[a-z]+:\/\/[^/]+/, '');
};

const bound = (id: string, values: Placeholders, hasBody: boolean) => {
  const profile = shipped.get(id);
  if (!profile) throw new Error(`no profile ${id}`);
  const headers = bindHeaders(profile, values, hasBody);
  if (!headers.ok) throw new Error(`${id} lacks ${headers.error}`);
  return headers.value;
};

/** Sends a bound profile to a raw server and gives what arrived. */
const arrived = async (
  scheme: 'http' | 'https',
  request: Pick<Golden, 'id' | 'method' | 'path' | 'values' | 'body'>,
): Promise<{ head: string; body: Buffer }> => {
  const got = signalled<{ head: string; body: Buffer }>();
  const serve = scheme === 'https' ? rawTlsServer : rawServer;
  const server = await serve(({ head, body, socket }) => {
    got.resolve({ head, body });
    socket.write(answer(200, 'ok'));
  });
  const wire = testWire({ certificate_authorities: [(await tlsFiles()).cert] });
  const response = await sent(wire, {
    method: request.method,
    url: `${server.url}${request.path}`,
    headers: bound(request.id, request.values, request.body !== null),
    body: request.body,
    timeouts: patient,
    signal: new AbortController().signal,
  });
  expect(await textOf(response)).toBe('ok');
  return got.promise;
};

describe('captured heads leave byte for byte (P3)', () => {
  it('has a profile for every captured request, and no other captured profile', () => {
    const captured = [...shipped.keys()].filter((id) => !id.startsWith('maestro-'));
    expect(captured.sort()).toEqual(names.map((name) => name.replace(/\.txt$/, '')).sort());
    expect(names).toHaveLength(41);
  });

  for (const name of names) {
    it(name, async () => {
      const capture = await golden(name);
      expect(shipped.get(capture.id)?.method).toBe(capture.method);
      expect(pathOf(capture.id, capture.values)).toBe(capture.path);
      for (const scheme of ['http', 'https'] as const) {
        const { head, body } = await arrived(scheme, capture);
        expect(head).toBe(capture.head);
        expect(body.equals(capture.body ?? Buffer.alloc(0))).toBe(true);
      }
    });
  }
});

const spec = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const tail = [
  'Content-Type: application/json',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Connection: keep-alive',
  'Content-Length: 2',
];
const own = ['User-Agent: maestro/1.0', 'Accept: application/json', 'X-Client-Version: 1.0.0'];
const given = ['User-Agent: llxprt/1.0', 'Accept: application/json', 'X-Client-Version: 1.0.0'];

describe('our own profiles leave byte for byte', () => {
  const values: Placeholders = {
    api_key: 'K',
    access_token: 'T',
    host: 'h.test',
    length: '2',
    account_id: 'acc',
    session_id: 's',
  };
  const send = (id: string, path: string, more: Placeholders = {}, body: Buffer | null = Buffer.from('{}')) =>
    arrived('http', { id, method: body ? 'POST' : 'GET', path, values: { ...values, ...more }, body });

  it('maestro-spec for Anthropic keeps the six headers in order (P4)', async () => {
    const { head } = await send('maestro-spec-anthropic', '/v1/messages');
    expect(head).toBe(
      spec([
        'POST /v1/messages HTTP/1.1',
        'Host: h.test',
        'x-api-key: K',
        'anthropic-version: 2023-06-01',
        'anthropic-beta: messages-2023-12-15',
        ...given,
        ...tail,
      ]),
    );
  });

  it('maestro-spec for OpenAI keeps the six headers in order (P5)', async () => {
    const { head } = await send('maestro-spec-openai', '/v1/responses', { org_id: 'org-1' });
    expect(head).toBe(
      spec([
        'POST /v1/responses HTTP/1.1',
        'Host: h.test',
        'Authorization: Bearer K',
        'OpenAI-Organization: org-1',
        'OpenAI-Beta: assistants v2',
        ...given,
        ...tail,
      ]),
    );
  });

  it('leaves the organization out where none is configured (P5)', async () => {
    const { head } = await send('maestro-spec-openai', '/v1/responses');
    expect(head).not.toMatch(/organization/i);
  });

  it('maestro-oauth sends the bearer first, then what each endpoint needs, then our name (P6)', async () => {
    const anthropic = await send('maestro-oauth-anthropic', '/v1/messages');
    expect(anthropic.head).toBe(
      spec([
        'POST /v1/messages HTTP/1.1',
        'Host: h.test',
        'Authorization: Bearer T',
        'anthropic-version: 2023-06-01',
        'anthropic-beta: oauth-2025-04-20',
        ...own,
        ...tail,
      ]),
    );
    const openai = await send('maestro-oauth-openai', '/backend-api/codex/responses');
    expect(openai.head).toBe(
      spec([
        'POST /backend-api/codex/responses HTTP/1.1',
        'Host: h.test',
        'Authorization: Bearer T',
        'ChatGPT-Account-ID: acc',
        'originator: maestro',
        ...own,
        ...tail,
      ]),
    );
  });

  it('sends the same block for a GET, less the two content headers', async () => {
    const { head } = await send('maestro-spec-anthropic', '/v1/models', {}, null);
    expect(head).toBe(
      spec([
        'GET /v1/models HTTP/1.1',
        'Host: h.test',
        'x-api-key: K',
        'anthropic-version: 2023-06-01',
        'anthropic-beta: messages-2023-12-15',
        ...given,
        'Accept-Encoding: gzip, deflate, br, zstd',
        'Connection: keep-alive',
      ]),
    );
  });

  it('refuses a value that would break the head', async () => {
    const server = await rawServer(({ socket }) => socket.end());
    const failure = await failedSend(testWire(), {
      method: 'POST',
      url: server.url,
      headers: bound('maestro-spec-anthropic', { ...values, api_key: 'K\r\nX-Evil: 1' }, true),
      body: Buffer.from('{}'),
      timeouts: patient,
      signal: new AbortController().signal,
    });
    expect(failure.kind).toBe('invalid');
    expect(failure.message).not.toContain('Evil');
    expect(server.sockets).toHaveLength(0);
  });
});
