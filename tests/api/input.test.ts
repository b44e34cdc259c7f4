import { type Route, routes } from '@maestro/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, errorOf, pathOf, request } from './support/request.ts';
import { startServer, type TestServer } from './support/server.ts';

let server: TestServer;
/** Commands that reached the engine. */
const reached: string[] = [];
beforeAll(async () => {
  server = await startServer();
  const { engine } = server.world;
  for (const name of [
    'create',
    'patch',
    'delete',
    'send',
    'patchQueued',
    'deleteQueued',
    'answer',
  ] as const) {
    const real = engine[name].bind(engine) as (...input: unknown[]) => unknown;
    Object.assign(engine, {
      [name]: (...input: unknown[]) => {
        reached.push(name);
        return real(...input);
      },
    });
  }
});
beforeEach(() => void reached.splice(0));
afterAll(() => server.close());

const all = Object.values<Route>(routes).filter((route) => !route.open);
const writes = all.filter((route) => route.method !== 'GET');
const json = { 'content-type': 'application/json' };

const send = (
  route: Route,
  path: string,
  body?: string | Uint8Array,
  headers: Record<string, string> = json,
): Promise<Answer> =>
  request(
    server.http.url,
    route.method,
    path,
    { authorization: `Bearer ${server.token.current()}`, ...headers },
    body,
  );

interface Shape {
  readonly properties: Record<string, { type?: string | string[]; anyOf?: { type?: string }[] }>;
  readonly required: string[];
}
const shapeOf = (schema: z.ZodType): Shape => {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return { properties: properties as Shape['properties'], required };
};
/** A value that is none of the types a property takes. */
const wrongFor = (part: Shape['properties'][string]): unknown => {
  const types = [part.type, ...(part.anyOf ?? []).map((one) => one.type)].flat();
  return types.includes('object') || types.includes('array') ? 5 : { not: 'this' };
};
const withBody = writes.flatMap((route) =>
  route.body === undefined || route.body === 'bytes' ? [] : [{ route, body: route.body }],
);
const cases = withBody.flatMap(({ route, body }) =>
  Object.entries(shapeOf(body).properties).map(([name, part]) => ({ route, id: route.id, name, part, body })),
);

describe('a bad body', () => {
  it.each(cases)(
    '$id: body.$name of the wrong type is a 400 that names it (Q2)',
    async ({ route, name, part }) => {
      const answer = await send(route, pathOf(route), JSON.stringify({ [name]: wrongFor(part) }));
      expect(answer.status).toBe(400);
      const { code, field, message } = errorOf(answer);
      expect(code).toBe('invalid');
      const others = route.body === 'bytes' || !route.body ? [] : shapeOf(route.body).required;
      // The first fault is named: this one, or a required field that is missing.
      expect([`body.${name}`, ...others.map((other) => `body.${other}`)]).toContain(field);
      expect(message.startsWith(`${field} `)).toBe(true);
      expect(reached).toEqual([]);
    },
  );
  it.each(
    withBody.flatMap(({ route, body }) =>
      shapeOf(body).required.map((name) => ({ route, id: route.id, name })),
    ),
  )('$id: a missing body.$name is a 400 that names it (Q2)', async ({ route, name }) => {
    const filler = Object.fromEntries(
      (route.body && route.body !== 'bytes' ? shapeOf(route.body).required : [])
        .filter((other) => other !== name)
        .map((other) => [other, other === 'provider' ? 'anthropic' : 'x']),
    );
    const answer = await send(route, pathOf(route), JSON.stringify(filler));
    expect([answer.status, errorOf(answer).field]).toEqual([400, `body.${name}`]);
    expect(errorOf(answer).message).toContain('is required');
    expect(reached).toEqual([]);
  });
  it.each(withBody.map(({ route }) => ({ route, id: route.id })))(
    '$id: a body that is a list or a text, or missing where it is needed, is a 400 (Q2)',
    async ({ route }) => {
      const mayBeMissing = typeof route.body === 'object' && route.body.safeParse(undefined).success;
      for (const body of [...(mayBeMissing ? [] : [undefined]), '[]', '"text"', 'null', '7']) {
        const answer = await send(route, pathOf(route), body);
        expect([answer.status, errorOf(answer).field]).toEqual([400, 'body']);
      }
      expect(reached).toEqual([]);
    },
  );
  it.each(withBody.map(({ route }) => ({ route, id: route.id })))(
    '$id: an unknown field is a 400 that names it (Q2)',
    async ({ route, id }) => {
      const { required } = route.body && route.body !== 'bytes' ? shapeOf(route.body) : { required: [] };
      const known: Record<string, unknown> = { provider: 'anthropic', is_enabled: true, decision: 'accept' };
      const body = Object.fromEntries(required.map((name) => [name, known[name] ?? 'x']));
      const answer = await send(route, pathOf(route), JSON.stringify({ ...body, unexpected: 1 }));
      expect([id, answer.status, errorOf(answer).field]).toEqual([id, 400, 'body.unexpected']);
      expect(reached).toEqual([]);
    },
  );
});

it.each(['POST', 'PATCH'])(
  '%s: an address of a session holds no login, which would be stored (S3)',
  async (method) => {
    const route = method === 'POST' ? routes.createSession : routes.patchSession;
    const body = { provider: 'compatible', base_url: 'http://me:hunter2@gpu/v1', working_directory: '/tmp' };
    const { working_directory: _, ...changed } = body;
    const answer = await send(route, pathOf(route), JSON.stringify(method === 'POST' ? body : changed));
    expect([answer.status, errorOf(answer).field]).toEqual([400, 'body.base_url']);
    expect(errorOf(answer).message).toContain('must hold no name and password');
    expect(JSON.stringify(errorOf(answer))).not.toContain('hunter2');
    expect(reached).toEqual([]);
  },
);

describe.each(writes.filter((route) => route.body !== 'bytes'))('$method $path', (route) => {
  const path = pathOf(route);
  it('broken JSON is a 400 on the body (Q2)', async () => {
    for (const broken of ['{"text": ', '{text: 1}', '\u0000', Uint8Array.from([0x22, 0xff, 0xfe, 0x22])]) {
      const answer = await send(route, path, broken);
      expect([answer.status, errorOf(answer).code, errorOf(answer).field]).toEqual([400, 'invalid', 'body']);
    }
    expect(reached).toEqual([]);
  });
  it('another content type is a 415 (Q2)', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'nonsense',
    ]) {
      const answer = await send(route, path, '{"text":"x"}', { 'content-type': type });
      expect([type, answer.status, errorOf(answer).field]).toEqual([type, 415, 'headers.content-type']);
    }
    expect(reached).toEqual([]);
  });
});

describe.each(writes)('$method $path', (route) => {
  const path = pathOf(route);
  it('a body above the limit is a 413, and the sender gets to see it (Q2)', async () => {
    const size = route.body === 'bytes' ? 26 : 10;
    const answer = await send(route, path, JSON.stringify({ text: 'x'.repeat(size * 1024 * 1024) }));
    expect([answer.status, errorOf(answer).code, errorOf(answer).field]).toEqual([413, 'too_large', 'body']);
    expect(reached).toEqual([]);
  });
});

describe('a bad path or query', () => {
  const parameters = all.flatMap((route) =>
    Object.keys(route.params?.shape ?? {}).map((name) => ({ route, id: route.id, name })),
  );
  it.each(parameters.filter(({ name }) => name !== 'name'))(
    '$id: a malformed $name is a 400 that names it (Q2)',
    async ({ route, name }) => {
      for (const bad of ['a%20b', '..%2F..', 'x'.repeat(300), '%00']) {
        const path = route.path.replace(`:${name}`, bad).replaceAll(/:\w+/g, 'nobody');
        const answer = await send(
          route,
          path,
          route.method === 'GET' ? undefined : '{}',
          route.method === 'GET' ? {} : json,
        );
        expect([bad, answer.status, errorOf(answer).field]).toEqual([bad, 400, `params.${name}`]);
      }
    },
  );
  // A provider is one of a list: another word is no provider at all.
  it.each(parameters.filter(({ name }) => name !== 'provider'))(
    '$id: an unknown $name is a 404 in words (Q2)',
    async ({ route }) => {
      const bodies: Record<string, unknown> = {
        patchTool: { is_enabled: true },
        patchSession: { title: 'New' },
        sendMessage: { text: 'Hello' },
        patchQueued: { text: 'Hello' },
        answer: { decision: 'accept' },
        fork: {},
        activateConversation: { id: 'con_1' },
        editMessage: { item_id: 'itm_1', text: 'Hello' },
        completeLogin: { code: 'x' },
        patchCredential: { name: 'Other' },
      };
      const body = bodies[route.id];
      const answer = await send(
        route,
        pathOf(route),
        body === undefined ? undefined : JSON.stringify(body),
        body ? json : {},
      );
      expect([answer.status, errorOf(answer).code]).toEqual([404, 'not_found']);
      expect(errorOf(answer).message.length).toBeGreaterThan(10);
    },
  );
  it.each(
    all.flatMap((route) =>
      Object.keys(route.query?.shape ?? {}).map((name) => ({ route, id: route.id, name })),
    ),
  )('$id: a bad query.$name is a 400 that names it (Q2)', async ({ route, name }) => {
    const bad: Record<string, string> = {
      limit: '0',
      tail: 'many',
      before: '-1',
      after: 'x',
      archived: 'perhaps',
      refresh: '7',
    };
    const isCursor = name === 'before' && (route.id === 'listSessions' || route.id === 'audit');
    const value = isCursor ? '%00' : bad[name];
    const answer = await send(route, `${pathOf(route)}?${name}=${value}`, undefined, {});
    expect([answer.status, errorOf(answer).field]).toEqual([400, `query.${name}`]);
  });
  it('a limit given twice is a 400', async () => {
    const answer = await send(routes.listSessions, '/api/v1/sessions?limit=1&limit=2', undefined, {});
    expect([answer.status, errorOf(answer).field]).toEqual([400, 'query.limit']);
  });
});

describe('text that cannot be kept', () => {
  it.each([
    ['a NUL', 'a\u0000b'],
    ['half a surrogate pair', 'a\ud800b'],
  ])('%s is a 400 that names the field (Q2)', async (_, text) => {
    const { id } = server.world.newSession();
    const answer = await send(
      routes.sendMessage,
      `/api/v1/sessions/${id}/messages`,
      JSON.stringify({ text }),
    );
    expect([answer.status, errorOf(answer).field]).toEqual([400, 'body.text']);
    expect(reached).toEqual([]);
  });
});

describe('what there is not', () => {
  it('an unknown path is a 404, a known one with another method a 405 that says which', async () => {
    const authorization = `Bearer ${server.token.current()}`;
    const unknown = await request(server.http.url, 'GET', '/api/v1/nothing', { authorization });
    expect([unknown.status, errorOf(unknown).code]).toEqual([404, 'not_found']);
    const method = await request(server.http.url, 'PUT', '/api/v1/sessions/x', { authorization });
    expect([method.status, errorOf(method).field]).toEqual([405, 'method']);
    expect(method.headers['allow']).toBe('GET, PATCH, DELETE');
    expect((await request(server.http.url, 'GET', '/api/v1/nothing')).status).toBe(401);
    expect((await request(server.http.url, 'GET', '/%zz')).status).toBe(400);
  });
});

describe('a fault of the server', () => {
  it('is a 500 without a stack or a secret; the log has the reason', async () => {
    const broken = await startServer();
    broken.world.engine.snapshot = () => Promise.reject(new Error('secret detail at /home/x'));
    const answer = await broken.call('GET', '/api/v1/sessions/x/snapshot');
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toContain('secret detail');
    expect(JSON.stringify(broken.logged)).toContain('secret detail');
    await broken.close();
  });
  it('is a 503 with a time to wait while the database does not answer (S9)', async () => {
    const broken = await startServer();
    broken.world.engine.create = () => Promise.reject(new Error('connection refused'));
    broken.stores.healthy = () => false;
    const answer = await broken.call('POST', '/api/v1/sessions', {
      provider: 'anthropic',
      working_directory: '/tmp',
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect((await fetch(`${broken.http.url}/health`)).status).toBe(503);
    await broken.close();
  });
  it('takes no writes while it drains', async () => {
    const draining = await startServer({ deps: { phase: () => 'draining' } });
    const body = { provider: 'anthropic', working_directory: '/tmp' };
    expect((await draining.call('POST', '/api/v1/sessions', body)).status).toBe(503);
    expect((await draining.call('GET', '/api/v1/sessions')).status).toBe(200);
    expect((await fetch(`${draining.http.url}/health`)).status).toBe(503);
    await draining.close();
  });
});
