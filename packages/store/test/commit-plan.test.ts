import { ItemId, MessageId, noUsage } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitStatement } from '../src/sessions/commit-statement.ts';
import { sampleSession, sampleSpent, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

interface Node {
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Node[];
}

const every = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(every)];

describe('the plan of a commit (S6)', () => {
  it('finds rows by their id alone, so that it takes no longer in a long session or a full database', async () => {
    const session = await stores.sessions.create(sampleSession('ses_plan'));
    const lease = await stores.sessions.acquire(session.id, 'me', 60_000);
    if (!lease) throw new Error('no lease');
    const { text } = commitStatement(lease, {
      items: [
        { id: ItemId.parse('i'), turn_id: null, kind: 'user_message', status: 'done', data: { text: 'hi' } },
      ],
      messages: [
        {
          message: { id: MessageId.parse('m'), turn_id: null, role: 'user', content: [], usage: noUsage },
          stored: null,
          response: null,
        },
      ],
      spent: sampleSpent(),
    });
    // Planned while the tables are empty, as each connection of a new database does, and kept for good.
    const [row] = await stores.withDatabase((db) =>
      db.query<{ 'QUERY PLAN': { Plan: Node }[] }>({ text: `explain (generic_plan, format json) ${text}` }),
    );
    const plan = row?.['QUERY PLAN'][0]?.Plan;
    if (!plan) throw new Error('no plan');
    const reads = every(plan).filter((node) => ['items', 'messages'].includes(node['Relation Name'] ?? ''));
    const found = reads.filter((node) => node['Index Cond'] !== undefined || !('Operation' in node));
    expect(found.map((node) => `${node['Relation Name']}: ${node['Index Cond']}`).toSorted()).toEqual([
      'items: (ROW(session_id, id) >= ROW($1, i.id))',
      'messages: (id = i_1.id)',
    ]);
  });
});
