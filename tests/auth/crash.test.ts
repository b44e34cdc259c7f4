import { createClient } from '@maestro/client';
import type { CredentialId, LoginProvider } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../support/server.ts';
import { type SharedDatabase, shareDatabase } from './support/servers.ts';

const kills = 50;
const vendors: readonly LoginProvider[] = ['anthropic', 'openai', 'gemini'];
/** About as long as a refresh takes from its first statement to its last, ms. */
const longest_ms = 120;

let shared: SharedDatabase;
let server: TestServer;
beforeAll(async () => {
  shared = await shareDatabase();
  server = await shared.server();
  shared.simulator.logins.configure({ token_delay_ms: 30 });
});
afterAll(async () => {
  await server.stop();
  await shared[Symbol.asyncDispose]();
});

const clientOf = () => createClient({ base_url: server.url, token: server.token });
const look = async (id: CredentialId) => (await shared.stores.credentials.open(id))?.credential;

describe('a server that is killed while it refreshes (P9, S7)', () => {
  it(`${kills} times at random moments leaves a login that works, or that says it needs a new one`, {
    timeout: 20_000 * kills,
  }, async () => {
    const ends = { works: 0, 'needs a login': 0 };
    for (let kill = 0; kill < kills; kill++) {
      const provider = vendors[kill % vendors.length] ?? 'anthropic';
      const { id, family } = await shared.expired(provider);
      const running = clientOf()
        .refreshCredential({ params: { id } })
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longest_ms));
      await server.kill('SIGKILL');
      await running;
      // In place of the 15 s after which the right of a dead process lapses.
      await shared.stores.query(
        `update saved_authentications set refreshing_until = now() - interval '1 ms' where refreshing_until > now()`,
      );
      server = await shared.server();

      const { ok, message } = await clientOf().refreshCredential({ params: { id } });
      const after = await look(id);
      expect(family.reused).toBe(false);
      if (ok) {
        ends.works += 1;
        expect(after).toMatchObject({ state: 'valid', detail: null });
        expect((await clientOf().testCredential({ params: { id } })).ok).toBe(true);
      } else {
        ends['needs a login'] += 1;
        // Only where a token works once, and only after it may have left.
        expect(provider).not.toBe('gemini');
        expect(after?.state).toBe('needs_login');
        expect(message).toMatch(/interrupted.*Log in again/);
        expect(after?.detail).toMatch(/interrupted.*Log in again/);
      }
    }
    process.stdout.write(`${JSON.stringify(ends)} of ${kills} kills\n`);
    expect(ends.works).toBeGreaterThan(0);
  });
});
