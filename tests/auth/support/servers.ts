import { randomBytes } from 'node:crypto';
import type { CredentialId, LoginProvider } from '@maestro/protocol';
import { type Family, type Simulator, startSimulator } from '@maestro/simulator';
import { type TestStores, testStores } from '@maestro/store/testing';
import { loginEnvironment, vendorEnvironment } from '../../support/house.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

/** Real servers on one PostgreSQL, whose vault this test can open as well. */
export interface SharedDatabase extends AsyncDisposable {
  readonly stores: TestStores;
  readonly simulator: Simulator;
  server(): Promise<TestServer>;
  /** A login whose access token has ended, put there past the servers. */
  expired(provider: LoginProvider): Promise<{ id: CredentialId; family: Family }>;
}

let logins = 0;

export const shareDatabase = async (): Promise<SharedDatabase> => {
  const encryption_key = `test:${randomBytes(32).toString('base64')}`;
  const stores = await testStores({ encryption_key });
  const simulator = await startSimulator();
  return {
    stores,
    simulator,
    server: () =>
      startTestServer({
        env: {
          ...vendorEnvironment(simulator),
          ...loginEnvironment(simulator),
          DATABASE_URL: stores.database_url,
          ENCRYPTION_KEY: encryption_key,
        },
      }),
    expired: async (provider) => {
      const family = simulator.logins.issue(provider);
      simulator.logins.expire(provider);
      const id = `login_${logins++}` as CredentialId;
      for (const held of await stores.credentials.list()) await stores.credentials.delete(held.id);
      const made = await stores.credentials.putLogin({
        id,
        provider,
        name: id,
        profile: null,
        tokens: {
          access_token: family.access_tokens.at(-1)?.token ?? '',
          refresh_token: family.refresh_tokens.at(-1)?.token ?? '',
          expires_at: Date.now() - 1,
          account_id: family.account_id,
          project_id: family.project_id,
        },
      });
      if (!made.ok) throw new Error(made.error.message);
      return { id, family };
    },
    [Symbol.asyncDispose]: async () => {
      await simulator.close();
      await stores.close();
    },
  };
};
