import type { ItemWrite, Lease } from '@maestro/ports';
import { ItemId, SessionId, TurnId } from '@maestro/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleSession, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let lease: Lease;
let number = 0;

beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());
beforeEach(async () => {
  const session = await stores.sessions.create(sampleSession(`ses_${number++}`));
  const taken = await stores.sessions.acquire(session.id, 'one', 60_000);
  if (!taken) throw new Error('no lease');
  lease = taken;
});

const item = (status: ItemWrite['status']): ItemWrite => ({
  id: ItemId.parse(`item_${number}`),
  turn_id: null,
  kind: 'agent_message',
  status,
  data: { text: 'hello' },
});

describe('who holds a session (S8)', () => {
  it('is known while the lease runs, with the time it has left', async () => {
    const holder = await stores.sessions.holder(lease.session_id);
    expect(holder?.owner).toBe('one');
    expect(holder?.lapses_in_ms).toBeGreaterThan(50_000);
    expect(holder?.lapses_in_ms).toBeLessThanOrEqual(60_000);
  });

  it('is nobody once the lease has lapsed or was released, or where there is no session', async () => {
    await stores.sessions.renewAll('one', -10);
    expect(await stores.sessions.holder(lease.session_id)).toBeUndefined();
    await stores.sessions.renewAll('one', 60_000);
    expect((await stores.sessions.holder(lease.session_id))?.owner).toBe('one');
    await stores.sessions.release(lease);
    expect(await stores.sessions.holder(lease.session_id)).toBeUndefined();
    expect(await stores.sessions.holder(SessionId.parse('nothing'))).toBeUndefined();
  });
});

describe('a second owner (S8)', () => {
  it('is told what the first left open, and the first can write no more', async () => {
    const { sessions } = stores;
    const turn = {
      id: TurnId.parse(`turn_${number}`),
      status: 'running' as const,
      cause: null,
      reason: null,
      steps: 1,
    };
    await sessions.commit(lease, { items: [item('streaming')], turn, session: { status: 'running' } });
    await sessions.renewAll('one', -10);
    const second = await sessions.acquire(lease.session_id, 'two', 60_000);
    if (!second) throw new Error('not taken over');
    expect(await sessions.unfinished(second)).toMatchObject({
      lease: second,
      turn: { id: turn.id, status: 'running' },
      open_items: [{ id: `item_${number}`, status: 'streaming' }],
    });
    expect(await sessions.commit(lease, { items: [item('done')] })).toMatchObject({
      ok: false,
      error: { type: 'fenced' },
    });
    expect((await sessions.commit(second, { items: [item('failed')] })).ok).toBe(true);
    expect((await sessions.unfinished(second)).open_items).toEqual([]);
  });

  it('finds nothing where nothing was open', async () => {
    expect(await stores.sessions.unfinished(lease)).toEqual({
      lease,
      turn: null,
      open_items: [],
      crashes: 0,
      next_waits: false,
    });
  });
});

describe('a session that its owner handed over (S8)', () => {
  const takenBy = async (owner: string): Promise<Lease | undefined> =>
    (await stores.sessions.abandoned(owner, 60_000)).find(
      (left) => left.lease.session_id === lease.session_id,
    )?.lease;

  it('is told once to who takes it: whoever looks for what was left', async () => {
    await stores.sessions.handOver(lease);
    // A renewal that was under way does not take it back.
    await stores.sessions.renewAll('one', 60_000);
    expect(await stores.sessions.holder(lease.session_id)).toBeUndefined();
    const second = await takenBy('two');
    expect(second).toEqual({ session_id: lease.session_id, owner: 'two', epoch: 2, handed_over: true });
    await stores.sessions.renewAll('two', -10);
    expect(await takenBy('three')).toBeUndefined();
  });

  it('is told to a command for it', async () => {
    await stores.sessions.handOver(lease);
    expect(await stores.sessions.acquire(lease.session_id, 'two', 60_000)).toMatchObject({
      epoch: 2,
      handed_over: true,
    });
    expect(await stores.sessions.acquire(lease.session_id, 'two', -10)).not.toHaveProperty('handed_over');
    expect(await stores.sessions.acquire(lease.session_id, 'one', 60_000)).not.toHaveProperty('handed_over');
  });

  it('does not begin again long afterwards, nor where it was only given back', async () => {
    await stores.sessions.handOver(lease);
    await stores.query(
      "update sessions set last_activity_at = now() - interval '2 minutes' where session_id = $1",
      [lease.session_id],
    );
    expect(await takenBy('two')).toBeUndefined();
    const second = await stores.sessions.acquire(lease.session_id, 'two', 60_000);
    if (!second) throw new Error('not taken');
    expect(second).not.toHaveProperty('handed_over');
    await stores.sessions.release(second);
    expect(await takenBy('three')).toBeUndefined();
  });

  it('is not taken from who has it now by one who lost it', async () => {
    await stores.sessions.renewAll('one', -10);
    await stores.sessions.acquire(lease.session_id, 'two', 60_000);
    await stores.sessions.handOver(lease);
    expect((await stores.sessions.holder(lease.session_id))?.owner).toBe('two');
  });
});
