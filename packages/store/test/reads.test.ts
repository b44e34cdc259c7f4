import type { ItemWrite, Lease } from '@maestro/ports';
import { ItemId, SessionId, TurnId } from '@maestro/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleCall, sampleSession, sampleSpent, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let lease: Lease;
const ITEMS = 25;

beforeAll(async () => {
  stores = await testStores();
  lease = await open('main');
  for (let n = 1; n <= ITEMS; n++) await write(item(n));
});
afterAll(() => stores.close());

const open = async (id: string): Promise<Lease> => {
  const session = await stores.sessions.create(sampleSession(id));
  const taken = await stores.sessions.acquire(session.id, 'me', 60_000);
  if (!taken) throw new Error('no lease');
  return taken;
};
const item = (n: number, status: ItemWrite['status'] = 'done'): ItemWrite => ({
  id: ItemId.parse(`i${n}`),
  turn_id: null,
  kind: 'user_message',
  status,
  data: { text: `text ${n}` },
});
const write = (...items: ItemWrite[]) => stores.sessions.commit(lease, { items });
const positions = (items: readonly { position: number }[]) => items.map((each) => each.position);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe('pages of items (S6)', () => {
  it('go back from the end and say when there is more', async () => {
    const last = await stores.sessions.items(lease.session_id, { limit: 10 });
    expect([positions(last.items), last.has_more]).toEqual([range(16, 25), true]);
    const first = await stores.sessions.items(lease.session_id, { before: 6, limit: 10 });
    expect([positions(first.items), first.has_more]).toEqual([range(1, 5), false]);
  });

  it('go forwards after a position', async () => {
    const page = await stores.sessions.items(lease.session_id, { after: 20, limit: 3 });
    expect([positions(page.items), page.has_more]).toEqual([range(21, 23), true]);
  });
});

describe('the snapshot', () => {
  it('holds the tail and says whether there is more before it', async () => {
    const snapshot = await stores.sessions.snapshot(lease.session_id, 10);
    expect(positions(snapshot?.items ?? [])).toEqual(range(16, 25));
    expect(snapshot).toMatchObject({
      has_older: true,
      turn: null,
      queue: [],
      live: [],
      epoch: stores.sessions.epoch(),
    });
    expect((await stores.sessions.snapshot(lease.session_id, ITEMS))?.has_older).toBe(false);
  });

  it('of no session is undefined', async () => {
    expect(await stores.sessions.snapshot(SessionId.parse('none'), 10)).toBeUndefined();
    expect(await stores.sessions.changes(SessionId.parse('none'), 0, 10)).toBeUndefined();
  });

  it('leaves out removed items; the changes show them', async () => {
    const other = await open('removed');
    await stores.sessions.commit(other, { items: [item(1), item(2)] });
    await stores.sessions.commit(other, { items: [item(1, 'removed')] });
    expect((await stores.sessions.snapshot(other.session_id, 10))?.items.map((each) => each.id)).toEqual([
      'i2',
    ]);
    expect((await stores.sessions.changes(other.session_id, 2, 10))?.items).toMatchObject([
      { id: 'i1', status: 'removed' },
    ]);
  });
});

describe('changes', () => {
  it('come in order of seq, in batches, none lost and none twice, whatever was written (S9)', async () => {
    let session = 0;
    const step = fc.oneof(
      fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
      fc.constant('turn' as const),
      fc.constant('session' as const),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, limit) => {
          const id = `prop_${session++}`;
          const held = await open(id);
          for (const [n, what] of steps.entries()) {
            if (what === 'session') await stores.sessions.commit(held, { session: { title: `${n}` } });
            else if (what === 'turn')
              await stores.sessions.commit(held, {
                turn: {
                  id: TurnId.parse(`${id}_t${n % 2}`),
                  status: 'running',
                  cause: null,
                  reason: null,
                  steps: n,
                },
              });
            else await stores.sessions.commit(held, { items: [...new Set(what)].map((each) => item(each)) });
          }
          const whole = await stores.sessions.changes(held.session_id, 0, 1000);
          const seen: number[] = [];
          let cursor = 0;
          for (let complete = false; !complete; ) {
            const part = await stores.sessions.changes(held.session_id, cursor, limit);
            if (!part) throw new Error('no session');
            seen.push(...[...part.items, ...part.turns].map((each) => each.seq).toSorted((a, b) => a - b));
            cursor = part.seq;
            complete = part.complete;
          }
          expect(seen).toEqual(
            [...(whole?.items ?? []), ...(whole?.turns ?? [])]
              .map((each) => each.seq)
              .toSorted((a, b) => a - b),
          );
          expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
          expect(cursor).toBe(whole?.seq);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('sessions', () => {
  it('made twice with one id are one (S9)', async () => {
    const [one, two] = await Promise.all([
      stores.sessions.create(sampleSession('twice', { title: 'one' })),
      stores.sessions.create(sampleSession('twice', { title: 'two' })),
    ]);
    expect(two).toEqual(one);
    expect(await stores.sessions.conversation(one.id)).toBe(one.conversation_id);
  });

  it('are listed by last activity in pages, archived ones apart (S4)', async () => {
    for (const n of range(1, 5)) {
      const held = await open(`card_${n}`);
      await stores.sessions.commit(held, { session: { preview: `words ${n}`, archived: true } });
    }
    const first = await stores.sessions.list({ limit: 3, archived: true });
    const second = await stores.sessions.list({ limit: 3, archived: true, before: first.next ?? '' });
    expect([...first.cards, ...second.cards].map((card) => card.preview).toSorted()).toEqual(
      range(1, 5).map((n) => `words ${n}`),
    );
    expect(second.next).toBeNull();
    const active = await stores.sessions.list({ limit: 100, archived: false });
    expect(active.cards.filter((card) => card.id.startsWith('card_'))).toEqual([]);
    expect(await stores.sessions.list({ limit: 3, archived: false, before: 'nonsense' })).toEqual({
      cards: [],
      next: null,
    });
  });

  it('that are deleted leave nothing but the amounts they spent', async () => {
    const held = await open('deleted');
    await stores.sessions.commit(held, {
      items: [item(1)],
      ...sampleCall(sampleSpent({ usage: { ...noTokens, request_tokens: 7 }, cost_usd: '0.25' })),
    });
    expect(await stores.sessions.delete(held.session_id)).toBe(true);
    expect(await stores.sessions.delete(held.session_id)).toBe(false);
    expect(await stores.sessions.get(held.session_id)).toBeUndefined();
    expect(await stores.sessions.item(held.session_id, ItemId.parse('i1'))).toBeUndefined();
    const kept = await stores.query(
      'select request_tokens, cost_usd from usage_events where session_id = $1',
      ['deleted'],
    );
    expect(kept).toEqual([{ request_tokens: 7, cost_usd: '0.25' }]);
  });
});

const noTokens = {
  request_tokens: 0,
  response_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cache_write_1h_tokens: 0,
  reasoning_tokens: 0,
  estimated: false,
};
