import type { Change, Committed, ItemWrite, Lease, TurnWrite } from '@maestro/ports';
import { ItemId, MessageId, QueueId, SessionId, TurnId, type Usage } from '@maestro/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleCall, sampleSession, sampleSpent, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let lease: Lease;
let number = 0;

beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());
beforeEach(async () => {
  const session = await stores.sessions.create(sampleSession(`ses_${number++}`));
  const taken = await stores.sessions.acquire(session.id, 'me', 60_000);
  if (!taken) throw new Error('no lease');
  lease = taken;
});

const message = (id: string, text = 'hello', more: Partial<ItemWrite> = {}): ItemWrite => ({
  id: ItemId.parse(id),
  turn_id: null,
  kind: 'user_message',
  status: 'done',
  data: { text },
  ...more,
});
const turn = (status: TurnWrite['status']): TurnWrite => ({
  id: TurnId.parse(`turn_${number}`),
  status,
  cause: null,
  reason: null,
  steps: 1,
});
const usage: Usage = {
  request_tokens: 10,
  response_tokens: 5,
  cache_read_tokens: 4,
  cache_write_tokens: 3,
  cache_write_1h_tokens: 2,
  reasoning_tokens: 1,
  estimated: false,
};
const commit = async (change: Change): Promise<Committed> => {
  const result = await stores.sessions.commit(lease, change);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

describe('commit', () => {
  it('gives items the next positions and each thing its own seq: items, turn, queue, session', async () => {
    const written = await commit({
      items: [message('a'), message('b')],
      turn: turn('running'),
      queue: { put: [{ id: QueueId.parse('q'), text: 'later', attachments: [], deliver: 'queue' }] },
      session: { status: 'running' },
    });
    expect(written.items.map(({ id, position, seq }) => ({ id, position, seq }))).toEqual([
      { id: 'a', position: 1, seq: 1 },
      { id: 'b', position: 2, seq: 2 },
    ]);
    expect([written.turn?.seq, written.queue?.seq, written.session?.seq, written.seq]).toEqual([3, 4, 5, 5]);
  });

  it('gives back what a reader finds', async () => {
    const written = await commit({
      items: [message('a', 'x', { title: 'Title' }), message('b')],
      turn: turn('done'),
      session: { preview: 'x' },
    });
    expect(await stores.sessions.item(lease.session_id, ItemId.parse('a'))).toEqual(written.items[0]);
    expect(await stores.sessions.get(lease.session_id)).toEqual(written.session);
    expect(await stores.sessions.card(lease.session_id)).toEqual(written.card);
    expect(await stores.sessions.lastTurn(lease.session_id)).toEqual(written.turn);
    expect(written.turn?.ended_at).not.toBeNull();
  });

  it('leaves absent what did not change', async () => {
    const written = await commit({ items: [message('a')] });
    expect(Object.keys(written).toSorted()).toEqual(['items', 'seq']);
  });

  it('keeps the position of an item that is written again and gives it a new seq', async () => {
    await commit({ items: [message('a'), message('b')] });
    const again = await commit({ items: [message('c'), message('a', 'new')] });
    expect(again.items.map((item) => [item.id, item.position, item.seq])).toEqual([
      ['c', 3, 3],
      ['a', 1, 4],
    ]);
  });

  it('takes a position that is given and goes on above it', async () => {
    const written = await commit({ items: [message('a', 'x', { position: 10 }), message('b')] });
    expect(written.items.map((item) => item.position)).toEqual([10, 11]);
  });

  it('keeps any text: U+0000, lone surrogates, order of keys', async () => {
    const data = { text: 'a\0b \ud83d c', attachments: [] };
    await commit({ items: [message('a', '', { data })] });
    const read = await stores.sessions.item(lease.session_id, ItemId.parse('a'));
    expect(JSON.stringify(read?.data)).toBe(JSON.stringify(data));
    const titled = await commit({ session: { title: 'a\0b', preview: '\ud83d' } });
    expect(titled.session?.title).toBe('a\uFFFDb');
  });

  it('changes of a session only what the patch names; null clears', async () => {
    await commit({ session: { base_url: 'http://x', effort: 'high', tools: { read_file: false } } });
    const { session } = await commit({ session: { effort: null, waiting_for: 'person', archived: true } });
    expect(session).toMatchObject({
      base_url: 'http://x',
      effort: null,
      waiting_for: 'person',
      tools: { read_file: false },
      title: 'A session',
    });
    expect(session?.archived_at).not.toBeNull();
    expect((await commit({ session: { archived: false } })).session?.archived_at).toBeNull();
  });

  it('moves a card up for new activity, not for a new title', async () => {
    const before = await stores.sessions.get(lease.session_id);
    const renamed = await commit({ session: { title: 'Other' } });
    expect(renamed.session?.last_activity_at).toBe(before?.last_activity_at);
    const busy = await commit({ session: { preview: 'news' } });
    expect(busy.session?.last_activity_at).toBe(busy.session?.updated_at);
  });

  it('adds to the totals exactly, as decimals, and counts unpriced and estimated calls (T2)', async () => {
    await commit(sampleCall(sampleSpent({ usage, cost_usd: '0.1' })));
    await commit(sampleCall(sampleSpent({ usage, cost_usd: '0.2' })));
    const { session } = await commit(
      sampleCall(sampleSpent({ usage: { ...usage, estimated: true }, cost_usd: null })),
    );
    expect(session?.totals).toEqual({
      request_tokens: 30,
      response_tokens: 15,
      cache_read_tokens: 12,
      cache_write_tokens: 9,
      reasoning_tokens: 3,
      calls: 3,
      unpriced_calls: 1,
      estimated_calls: 1,
      cost_usd: '0.3',
    });
    expect(await stores.sessions.totals(lease.session_id)).toEqual(session?.totals);
  });

  it('counts a call once when its commit is repeated (S9)', async () => {
    const change: Change = {
      items: [message('a')],
      spent: sampleSpent({ usage, cost_usd: '0.5' }),
      messages: [
        { id: MessageId.parse(`msg_${number}`), turn_id: null, role: 'assistant', content: [], usage },
      ],
    };
    await commit(change);
    const again = await commit(change);
    expect(again.session?.totals).toMatchObject({ calls: 1, cost_usd: '0.5' });
    expect((await stores.sessions.messages(lease.session_id, { limit: 10 })).messages).toHaveLength(1);
  });

  it('takes no amount without the message of its call: it could not be known again (T4)', async () => {
    await expect(commit({ spent: sampleSpent() })).rejects.toThrow('no message of the call');
    expect(await stores.sessions.totals(lease.session_id)).toMatchObject({ calls: 0 });
  });

  it('keeps the order of the queue when an entry is edited, and moves one that is removed and put', async () => {
    const entry = (id: string, text: string) => ({
      id: QueueId.parse(id),
      text,
      attachments: [],
      deliver: 'queue' as const,
    });
    await commit({ queue: { put: [entry('a', '1'), entry('b', '2'), entry('c', '3')] } });
    const edited = await commit({ queue: { put: [entry('a', 'edited')] } });
    expect(edited.queue?.entries.map((each) => each.text)).toEqual(['edited', '2', '3']);
    const moved = await commit({ queue: { put: [entry('a', 'edited')], remove: [QueueId.parse('a')] } });
    expect(moved.queue?.entries.map((each) => each.id)).toEqual(['b', 'c', 'a']);
    const removed = await commit({ queue: { remove: [QueueId.parse('b')] } });
    expect(removed.queue?.entries).toEqual(await stores.sessions.queue(lease.session_id));
  });

  it('gives concurrent commits of one owner distinct seqs and positions', async () => {
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        commit({ items: [message(`i${n}`)], session: { preview: `${n}` } }),
      ),
    );
    const items = all.flatMap((written) => written.items);
    expect(new Set(items.map((item) => item.position))).toEqual(
      new Set(Array.from({ length: 40 }, (_, n) => n + 1)),
    );
    expect(
      new Set([...items.map((item) => item.seq), ...all.map((written) => written.session?.seq)]).size,
    ).toBe(80);
  });
});

describe('the fence (S8)', () => {
  it('refuses an older epoch and writes nothing', async () => {
    const other = await stores.another();
    await stores.sessions.release(lease);
    await other.sessions.acquire(lease.session_id, 'other', 60_000);
    const late = await stores.sessions.commit(lease, {
      items: [message('late')],
      turn: turn('running'),
      queue: { put: [{ id: QueueId.parse('q'), text: 'late', attachments: [], deliver: 'queue' }] },
      session: { title: 'late' },
      spent: sampleSpent({ usage, cost_usd: '1' }),
      messages: [{ id: MessageId.parse(`late_${number}`), turn_id: null, role: 'user', content: 'late' }],
    });
    expect(late).toMatchObject({
      ok: false,
      error: { type: 'fenced', message: expect.stringContaining('other (epoch 2)') },
    });
    expect(await stores.sessions.changes(lease.session_id, 0, 10)).toMatchObject({
      seq: 0,
      items: [],
      turns: [],
      queue: [],
    });
    expect((await stores.sessions.messages(lease.session_id, { limit: 1 })).messages).toEqual([]);
    const chunk = await stores.sessions.checkpoint(lease, ItemId.parse('late'), 'text', 0, 'x');
    expect(chunk).toMatchObject({ ok: false, error: { type: 'fenced' } });
  });

  it('says when the session is gone', async () => {
    await stores.sessions.delete(lease.session_id);
    expect(await stores.sessions.commit(lease, { items: [message('a')] })).toMatchObject({
      ok: false,
      error: { type: 'gone' },
    });
  });

  it('gives a session to one of many that ask at once', async () => {
    const session = await stores.sessions.create(sampleSession(`race_${number}`));
    const got = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stores.sessions.acquire(session.id, `owner${n}`, 60_000)),
    );
    expect(got.filter(Boolean)).toHaveLength(1);
  });

  it('keeps the epoch when the owner renews, and raises it for a new owner after the time is over', async () => {
    expect((await stores.sessions.acquire(lease.session_id, 'me', -10))?.epoch).toBe(1);
    expect((await stores.sessions.acquire(lease.session_id, 'other', 60_000))?.epoch).toBe(2);
    expect(await stores.sessions.acquire(lease.session_id, 'me', 60_000)).toBeUndefined();
    expect(await stores.sessions.acquire(SessionId.parse('nothing'), 'me', 1)).toBeUndefined();
  });
});

describe('work left by an owner that died (S9)', () => {
  const streaming = message('answer', '', { kind: 'agent_message', status: 'streaming', data: { text: '' } });

  it('is taken over when the lease is over, with the text of its checkpoints', async () => {
    await commit({ items: [message('a'), streaming], turn: turn('running'), session: { status: 'running' } });
    await stores.sessions.checkpoint(lease, streaming.id, 'text', 0, 'Hel');
    await stores.sessions.checkpoint(lease, streaming.id, 'text', 3, 'lo');
    expect(await stores.sessions.abandoned('next', 60_000)).toEqual([]);
    await stores.sessions.renewAll('me', -10);
    const all = await stores.sessions.abandoned('next', 60_000);
    const left = all.find((each) => each.lease.session_id === lease.session_id);
    expect(left).toMatchObject({
      lease: { session_id: lease.session_id, owner: 'next', epoch: 2 },
      turn: { status: 'running' },
      open_items: [{ id: 'answer', data: { text: 'Hello' } }],
    });
    expect(await stores.sessions.abandoned('third', 60_000)).toEqual([]);
  });

  it('is not seen in sessions that rest', async () => {
    await commit({ items: [message('a')], turn: turn('done'), session: { status: 'idle' } });
    await stores.sessions.renewAll('me', -10);
    const left = await stores.sessions.abandoned('next', 60_000);
    expect(left.map((each) => each.lease.session_id)).not.toContain(lease.session_id);
  });
});

describe('checkpoints', () => {
  const streaming = message('answer', '', { kind: 'agent_message', status: 'streaming', data: { text: '' } });
  const read = () => stores.sessions.item(lease.session_id, streaming.id);

  it('show in every reader, survive a split surrogate pair, and take no seq', async () => {
    await commit({ items: [streaming] });
    const [high, low] = ['\ud83d', '\ude00'];
    await stores.sessions.checkpoint(lease, streaming.id, 'text', 0, `a\0${high}`);
    await stores.sessions.checkpoint(lease, streaming.id, 'text', 3, `${low}b`);
    const text = 'a\0\u{1F600}b';
    expect((await read())?.data).toEqual({ text });
    const snapshot = await stores.sessions.snapshot(lease.session_id, 10);
    expect(snapshot).toMatchObject({ seq: 1, live: ['answer'], items: [{ data: { text } }] });
    expect(await stores.sessions.changes(lease.session_id, 0, 10)).toMatchObject({
      seq: 1,
      items: [{ data: { text } }],
    });
    expect(await stores.sessions.items(lease.session_id, { limit: 10 })).toMatchObject({
      items: [{ data: { text } }],
    });
  });

  it('of a tool call keep its fields apart', async () => {
    const call = message('call', '', {
      kind: 'tool_call',
      status: 'running',
      data: { name: 'bash', call_id: '1' },
    });
    await commit({ items: [call] });
    await stores.sessions.checkpoint(lease, call.id, 'stdout', 0, 'out');
    await stores.sessions.checkpoint(lease, call.id, 'stderr', 0, 'err');
    await stores.sessions.checkpoint(lease, call.id, 'input', 0, '{"a":');
    const item = await stores.sessions.item(lease.session_id, call.id);
    expect(item?.data).toEqual({
      name: 'bash',
      call_id: '1',
      stdout: 'out',
      stderr: 'err',
      input_text: '{"a":',
    });
  });

  it('are gone when the item is committed, and a late one is no error', async () => {
    await commit({ items: [streaming] });
    await stores.sessions.checkpoint(lease, streaming.id, 'text', 0, 'half');
    await commit({ items: [{ ...streaming, status: 'done', data: { text: 'whole' } }] });
    expect(await stores.sessions.checkpoint(lease, streaming.id, 'text', 4, 'late')).toEqual({
      ok: true,
      value: undefined,
    });
    expect((await read())?.data).toEqual({ text: 'whole' });
    await commit({ items: [streaming] });
    expect((await read())?.data).toEqual({ text: '' });
  });
});
