import { randomBytes } from 'node:crypto';
import type { Lease } from '@maestro/ports';
import { CredentialId, ItemId, MessageId, QueueId, TurnId } from '@maestro/protocol';
import { savedTables } from '../../src/backup/tables.ts';
import { openDatabase, type Session } from '../../src/database.ts';
import { chooseEngine, type EngineOptions, openEngine } from '../../src/engine.ts';
import type { OpenStores } from '../../src/open.ts';
import { sampleSession } from '../../src/testing.ts';

/** Something of everything, with texts and bytes that are easy to get wrong. */
export const furnish = async (stores: OpenStores, id = 'kept'): Promise<Lease> => {
  const session = await stores.sessions.create(
    sampleSession(id, { title: 'Tab\t, "quote", \\ and ü\u{1F600}' }),
  );
  const lease = await stores.sessions.acquire(session.id, 'owner', 60_000);
  if (!lease) throw new Error('no lease');
  const item = (name: string, text: string) => ({
    id: ItemId.parse(`${id}_${name}`),
    turn_id: null,
    kind: 'user_message' as const,
    status: 'done' as const,
    data: { text },
  });
  await stores.sessions.commit(lease, {
    items: [item('a', 'a\0b \ud83d \\N "x"\n\t'), item('b', 'second')],
    turn: { id: TurnId.parse(`${id}_turn`), status: 'done', cause: null, reason: null, steps: 1 },
    queue: { put: [{ id: QueueId.parse(`${id}_q`), text: 'later', attachments: [], deliver: 'queue' }] },
    messages: [
      {
        id: MessageId.parse(`${id}_msg`),
        turn_id: null,
        role: 'assistant',
        content: [{ z: 1, a: 1e21 }],
        exchange: {
          request_body: Buffer.from(
            JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(3000) }] }),
          ),
          url: 'https://example.test/v1',
          method: 'POST',
          request_headers: [['x-a', '1']],
          response_status: 200,
          response_headers: [],
        },
      },
    ],
  });
  await stores.credentials.create({
    id: CredentialId.parse(`${id}_cred`),
    provider: 'anthropic',
    name: id,
    auth_type: 'api_key',
    secret: 'sk-very-secret-0123456789',
    profile: null,
    is_default: true,
  });
  await stores.blobs.put(randomBytes(300_000), 'image/png');
  await stores.settings.set('ui.theme', { deep: ['\0', null] });
  return lease;
};

/** All rows of the saved tables as text, without what a restore makes anew. */
export const dump = async (own: Pick<Session, 'query'>): Promise<Record<string, string[]>> => {
  const names = await own.query<{ name: string }>({
    text: 'select name from schema_migrations order by name',
  });
  const tables: Record<string, string[]> = {};
  for (const table of savedTables(names.map(({ name }) => name))) {
    // As text, because U+0000 has no place in jsonb; the lease is the one thing of a session that a restore takes away.
    const rows = await own.query<{ row: string }>({
      text:
        table === 'settings'
          ? `select t::text as row from settings t where key not like 'store.%'`
          : `select t::text as row from ${table === 'sessions' ? "(select to_jsonb(s) - array['lease_owner', 'lease_until'] from sessions s)" : table} t`,
    });
    tables[table] = rows.map(({ row }) => row).toSorted();
  }
  return tables;
};

/** The dump of a data folder whose server is stopped. */
export const dumpOf = async (options: EngineOptions): Promise<Record<string, string[]>> => {
  const engine = await openEngine(await chooseEngine(options), options);
  return dump(engine.db).finally(engine.stop);
};

/** A database of its own on a server. */
export const freshDatabase = async (
  connection: { host?: string | undefined; user?: string | undefined },
  name: string,
  log: EngineOptions['log'],
): Promise<string> => {
  const admin = openDatabase({ ...connection, database: 'postgres' }, log);
  await admin.query({ text: `create database ${name}` }).finally(admin.close);
  return `postgres://${connection.user}@localhost/${name}?host=${encodeURIComponent(connection.host ?? '')}`;
};
