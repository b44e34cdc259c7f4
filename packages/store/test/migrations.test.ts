import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SessionId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { migrations } from '../src/migrations.generated.ts';
import { type OpenStores, openStores } from '../src/open.ts';
import { silentLog, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

/** A database as it was with these migrations, with rows written by these statements, opened by this version. */
const upgraded = async (through: string, rows: readonly string[]): Promise<OpenStores> => {
  const name = `old_${randomBytes(4).toString('hex')}`;
  await stores.query(`create database ${name}`);
  const url = new URL(stores.database_url);
  url.pathname = `/${name}`;
  const database_url = url.href;
  const db = openDatabase({ connectionString: database_url }, silentLog);
  await db.query({ text: 'create table schema_migrations (name text primary key, applied_at timestamptz)' });
  for (const migration of migrations.filter((each) => each.name <= through)) {
    for (const text of migration.statements) await db.query({ text });
    await db.query({ text: 'insert into schema_migrations values ($1, now())', values: [migration.name] });
  }
  for (const text of rows) await db.query({ text });
  await db.close();
  return openStores({
    log: silentLog,
    data_folder: join(stores.data_folder, '..', name),
    database_url,
    jobs_after_ms: 3_600_000,
  });
};

/** Times as PostgreSQL gave them: what one change writes has one. */
const at = (second: number): string => `'2026-01-01T00:00:${String(second).padStart(2, '0')}Z'`;
const session = (
  id: string,
  totals: string,
): string => `insert into sessions (session_id, title, agent_name, provider, model,
  auth_type, working_directory, system_prompt, access_mode, tools, conversation_id, seq, last_position, last_ordinal,
  request_tokens, calls, unpriced_calls, cost_usd)
  values ('${id}', 'Old', 'agent', 'anthropic', 'model-1', 'api_key', '/tmp', '', 'full', '{}', 'con_${id}', 5, 4, 4, ${totals})`;
const conversation = (id: string): string =>
  `insert into conversations (id, session_id) values ('con_${id}', '${id}')`;
const item = (id: string, name: string, position: number, kind: string, second: number): string =>
  `insert into items (session_id, id, conversation_id, turn_id, position, seq, kind, status, data, created_at)
  values ('${id}', '${name}', 'con_${id}', 'turn_1', ${position}, ${position}, '${kind}', 'done', '{"text":"${name}"}', ${at(second)})`;
const message = (
  id: string,
  name: string,
  ordinal: number,
  role: string,
  second: number,
  more = '',
): string =>
  `insert into messages (id, session_id, conversation_id, turn_id, ordinal, role, content, created_at
    ${more && ', request_tokens, response_tokens, total_cost_usd, provider, model, estimated'})
  values ('${name}', '${id}', 'con_${id}', 'turn_1', ${ordinal}, '${role}', '"${name}"', ${at(second)} ${more && `, ${more}`})`;

describe('the migration to branches and a ledger', () => {
  let old: OpenStores;
  const id = SessionId.parse('old');
  beforeAll(async () => {
    old = await upgraded('0001_storage', [
      session('old', `130, 4, 1, '0.35'`),
      conversation('old'),
      item('old', 'said', 1, 'user_message', 1),
      message('old', 'm_said', 1, 'user', 1),
      item('old', 'text', 2, 'agent_message', 2),
      item('old', 'call', 3, 'tool_call', 3),
      message('old', 'm_answer', 2, 'assistant', 4, `50, 5, '0.1', 'anthropic', 'model-1', false`),
      message('old', 'm_result', 3, 'tool', 5),
      item('old', 'last', 4, 'agent_message', 6),
      message('old', 'm_last', 4, 'assistant', 7, `70, 7, null, 'anthropic', 'model-2', true`),
      `insert into turns (id, session_id, seq, status, steps, started_at) values ('turn_1', 'old', 1, 'done', 2, ${at(1)})`,
      `insert into deleted_sessions (session_id, agent_name, request_tokens, calls, unpriced_calls, cost_usd, session_created_at, deleted_at)
        values ('gone', 'agent', 9, 3, 1, '1.25', ${at(0)}, '2026-01-02T00:00:00Z')`,
    ]);
  });
  afterAll(() => old.close());

  it('gives old messages a place among the items, so that they can be forked (A17)', async () => {
    const lease = await old.sessions.acquire(id, 'me', 60_000);
    const call = (await old.sessions.items(id, { limit: 10 })).items.find((each) => each.id === 'call');
    if (!lease || !call) throw new Error('nothing there');
    const first = await old.sessions.conversation(id);
    const forked = await old.sessions.fork(lease, `new` as never, { type: 'with', item: call.id });
    expect(forked).toMatchObject({ ok: true });
    expect((await old.sessions.items(id, { limit: 10 })).items.map((each) => each.id)).toEqual([
      'said',
      'text',
      'call',
    ]);
    expect((await old.sessions.history(id)).map((each) => each.id)).toEqual([
      'm_said',
      'm_answer',
      'm_result',
    ]);
    expect((await old.sessions.lastTurn(id))?.id).toBe('turn_1');
    if (first) await old.sessions.activate(lease, first);
    expect(await old.sessions.history(id)).toHaveLength(4);
  });

  it('loses no amount: each call is a line, the rest of the totals one, each deleted session one (T4)', async () => {
    const usage = await old.usage.session(id);
    expect(usage?.totals).toEqual(await old.sessions.totals(id));
    expect(
      usage?.by_activity.map((line) => [line.key, line.totals.calls, line.totals.cost_usd]).toSorted(),
    ).toEqual([
      ['conversation', 3, '0.35'],
      ['tool_use', 1, '0'],
    ]);
    const { total, lines } = await old.usage.report({ by: 'session', limit: 10 });
    expect(lines.map((line) => [line.key, line.totals.calls, line.totals.cost_usd])).toEqual([
      ['gone', 3, '1.25'],
      ['old', 4, '0.35'],
    ]);
    expect(total).toMatchObject({ calls: 7, unpriced_calls: 2, cost_usd: '1.6' });
    const basis = await old.usage.report({ by: 'basis', limit: 10 });
    expect(basis.lines.map((line) => line.key)).toEqual(['unknown', 'billed']);
    const days = await old.usage.report({ by: 'day', limit: 10, to: '2026-01-03T00:00:00Z' });
    expect(days.lines.map((line) => line.key)).toEqual(['2026-01-02', '2026-01-01']);
  });
});
