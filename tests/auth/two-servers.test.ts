import { createClient } from '@maestro/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { type SharedDatabase, shareDatabase } from './support/servers.ts';

let shared: SharedDatabase;
let servers: TestServer[] = [];
const folder = temporaryFolder('two-servers');
beforeAll(async () => {
  shared = await shareDatabase();
  servers = await Promise.all([shared.server(), shared.server()]);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await shared[Symbol.asyncDispose]();
  await removeFolder(folder);
});

describe('two servers on one PostgreSQL (P9)', () => {
  it.each([
    ['anthropic', 'claude-sonnet-5'],
    ['openai', 'gpt-6-sol'],
  ] as const)(
    'make one refresh request for 50 calls at once with an ended token of %s',
    async (provider, model) => {
      shared.simulator.logins.configure({ token_delay_ms: 300 });
      const clients = servers.map(({ url, token }) => createClient({ base_url: url, token }));
      const sessions = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const client = clients[index % 2];
          if (!client) throw new Error('There is no such server.');
          const { session } = await client.createSession({
            body: { provider, model, auth_type: 'oauth', working_directory: folder },
          });
          return { client, session_id: session.id };
        }),
      );
      const { id, family } = await shared.expired(provider);
      await Promise.all(
        sessions.map(({ client, session_id }) =>
          client.sendMessage({ params: { session_id }, body: { text: 'hello' } }),
        ),
      );
      for (const { client, session_id } of sessions)
        await expect
          .poll(async () => (await client.getSession({ params: { session_id } })).session.status, {
            timeout: 30_000,
          })
          .not.toBe('running');
      const ends = await Promise.all(
        sessions.map(({ session_id }) => shared.stores.sessions.lastTurn(session_id)),
      );
      expect(new Set(ends.map((turn) => turn?.status))).toEqual(new Set(['done']));
      expect(family).toMatchObject({ refreshes: 1, reused: false, revoked: false });
      expect((await shared.stores.credentials.open(id))?.version).toBe(2);
    },
  );
});
