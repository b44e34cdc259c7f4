import type { Change, Committed, ForkPlace, ItemWrite, Lease, MessageWrite } from '@maestro/ports';
import {
  ConversationId,
  ItemId,
  MessageId,
  noUsage,
  QueueId,
  type SessionId,
  TurnId,
} from '@maestro/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleSession, sampleSpent, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let lease: Lease;
let number = 0;
let forks = 0;

beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const open = async (): Promise<void> => {
  const session = await stores.sessions.create(sampleSession(`branch_ses_${number++}`));
  const taken = await stores.sessions.acquire(session.id, 'me', 60_000);
  if (!taken) throw new Error('no lease');
  lease = taken;
};
beforeEach(open);

const commit = async (change: Change): Promise<Committed> => {
  const result = await stores.sessions.commit(lease, change);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const item = (id: string, kind: ItemWrite['kind'], turn: string | null, text = id): ItemWrite => ({
  id: ItemId.parse(id),
  turn_id: turn === null ? null : TurnId.parse(turn),
  kind,
  status: 'done',
  data:
    kind === 'tool_call'
      ? { name: 'bash', call_id: id }
      : kind === 'notice'
        ? { code: 'x', level: 'info', text }
        : { text },
});
const row = (id: string, role: MessageWrite['role'], turn: string | null, more: Partial<MessageWrite> = {}) =>
  ({
    id: MessageId.parse(`${lease.session_id}_${id}`),
    turn_id: turn === null ? null : TurnId.parse(turn),
    role,
    content: id,
    ...more,
  }) satisfies MessageWrite;

const fork = async (place: ForkPlace, id = `con_${forks++}`): Promise<ConversationId> => {
  const made = await stores.sessions.fork(lease, ConversationId.parse(id), place);
  if (!made.ok) throw new Error(made.error.message);
  return ConversationId.parse(id);
};
const activate = async (id: ConversationId): Promise<Committed> => {
  const done = await stores.sessions.activate(lease, id);
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
};
const at = (id: string): ItemId => ItemId.parse(id);

const say = (text: string) =>
  commit({ items: [item(text, 'user_message', null)], messages: [row(text, 'user', null)] });

/** An answer with a call, as the engine writes it: items as they begin, the answer when it ends, then the call's result. */
const step = async (name: string, turn: string): Promise<void> => {
  const answer = item(`${name}_text`, 'agent_message', turn);
  const call = item(`${name}_call`, 'tool_call', turn);
  await commit({ items: [{ ...answer, status: 'streaming' }] });
  await commit({ items: [{ ...call, status: 'streaming' }] });
  await commit({
    items: [answer, { ...call, status: 'running' }],
    messages: [row(`${name}_answer`, 'assistant', turn, { usage: { ...noUsage, request_tokens: 10 } })],
    spent: sampleSpent({ usage: { ...noUsage, request_tokens: 10 } }),
  });
  await commit({ items: [item(`${name}_asked`, 'approval', turn)] });
  await commit({ items: [call], messages: [row(`${name}_result`, 'tool', turn)] });
};

/** All that the active branch shows, read in each way there is. */
const seen = async (session: SessionId) => {
  const { items, has_more } = await stores.sessions.items(session, { limit: 500 });
  expect(has_more).toBe(false);
  const snapshot = await stores.sessions.snapshot(session, 500);
  expect(snapshot?.items).toEqual(items);
  const changes = await stores.sessions.changes(session, 0, 500);
  expect(changes?.items.toSorted((a, b) => a.position - b.position)).toEqual(items);
  const paged = [];
  for (let before: number | undefined; ; ) {
    const page = await stores.sessions.items(session, { limit: 3, ...(before ? { before } : {}) });
    paged.unshift(...page.items);
    before = page.items[0]?.position;
    if (!page.has_more) break;
  }
  expect(paged).toEqual(items);
  const { messages } = await stores.sessions.messages(session, { limit: 500 });
  const history = await stores.sessions.history(session);
  return {
    items: items.map((each) => String(each.id)),
    messages: messages.map((each) => String(each.content)),
    history: history.map((each) => String(each.content)),
  };
};

describe('branches (A17)', () => {
  it('share what is before them and copy nothing', async () => {
    await say('one');
    await step('first', 't1');
    await fork({ type: 'with', item: at('one') });
    await step('second', 't2');
    expect(await seen(lease.session_id)).toEqual({
      items: ['one', 'second_text', 'second_call', 'second_asked'],
      messages: ['one', 'second_answer', 'second_result'],
      history: ['one', 'second_answer', 'second_result'],
    });
    const rows = await stores.query('select count(*)::int as n from items where session_id = $1', [
      lease.session_id,
    ]);
    expect(rows).toEqual([{ n: 7 }]);
  });

  it('show on the card what was said last on the branch that is open', async () => {
    await say('one');
    await step('first', 't1');
    const main = await stores.sessions.conversation(lease.session_id);
    await commit({ session: { preview: 'first_text' } });
    const preview = async () => (await stores.sessions.card(lease.session_id))?.preview;
    await fork({ type: 'with', item: at('one') });
    expect(await preview()).toBe('one');
    await say('other');
    await commit({ session: { preview: 'other' } });
    const { card } = await activate(ConversationId.parse(main));
    expect([card?.preview, await preview()]).toEqual(['first_text', 'first_text']);
    await fork({ type: 'before', item: at('one') });
    expect(await preview()).toBe('');
  });

  it.each(['text', 'call', 'asked'])('never divide a step: forked at its %s', async (part) => {
    await say('one');
    await step('first', 't1');
    await step('second', 't1');
    await fork({ type: 'with', item: at(`first_${part}`) });
    expect(await seen(lease.session_id)).toMatchObject({
      items: ['one', 'first_text', 'first_call', 'first_asked'],
      history: ['one', 'first_answer', 'first_result'],
    });
  });

  it('go on before a message to say it in other words, also before the very first', async () => {
    const first = await stores.sessions.conversation(lease.session_id);
    await say('one');
    await step('first', 't1');
    await say('two');
    await fork({ type: 'before', item: at('two') });
    expect((await seen(lease.session_id)).history).toEqual(['one', 'first_answer', 'first_result']);
    const empty = await fork({ type: 'before', item: at('one') });
    expect(await seen(lease.session_id)).toEqual({ items: [], messages: [], history: [] });
    await say('other');
    expect(await seen(lease.session_id)).toEqual({
      items: ['other'],
      messages: ['other'],
      history: ['other'],
    });
    const all = await stores.sessions.conversations(lease.session_id);
    expect(
      all.map(({ preview, active, fork_position }) => ({ preview, active, fork_position })),
    ).toMatchObject([
      { preview: 'one', active: false, fork_position: null },
      { preview: 'one', active: false },
      { preview: 'other', active: true, fork_position: 0 },
    ]);
    expect(all.map((each) => each.id === empty || each.parent_id)).toEqual([null, first, true]);
  });

  it('are refused for an item that the active branch does not show, and for branches there are none of', async () => {
    await say('one');
    await say('two');
    await fork({ type: 'with', item: at('one') });
    const nowhere = { ok: false, error: { type: 'unknown' } };
    for (const place of [
      { type: 'with', item: at('two') },
      { type: 'before', item: at('nothing') },
    ] as const)
      expect(await stores.sessions.fork(lease, ConversationId.parse('x'), place)).toMatchObject(nowhere);
    expect(await stores.sessions.activate(lease, ConversationId.parse('x'))).toMatchObject(nowhere);
    const mine = await stores.sessions.conversation(lease.session_id);
    await open();
    if (mine) expect(await stores.sessions.activate(lease, mine)).toMatchObject(nowhere);
  });

  it('tell at which seq the branch changed, and what the context holds then', async () => {
    const first = await stores.sessions.conversation(lease.session_id);
    await say('one');
    await step('first', 't1');
    const before = await stores.sessions.changes(lease.session_id, 0, 10);
    expect(before?.branch_seq).toBe(0);
    const made = await stores.sessions.fork(lease, ConversationId.parse(`c_${number}`), {
      type: 'with',
      item: at('one'),
    });
    if (!made.ok || !first) throw new Error('not made');
    expect(made.value).toMatchObject({
      items: [],
      session: { seq: made.value.seq, conversation_id: `c_${number}`, context_tokens: 0 },
      card: { conversation_id: `c_${number}` },
    });
    expect(await stores.sessions.changes(lease.session_id, 0, 10)).toMatchObject({
      seq: made.value.seq,
      branch_seq: made.value.seq,
    });
    const back = await activate(first);
    expect(back.session).toMatchObject({ conversation_id: first, context_tokens: 10, seq: back.seq });
    expect((await stores.sessions.changes(lease.session_id, 0, 10))?.branch_seq).toBe(back.seq);
    expect(await stores.sessions.get(lease.session_id)).toEqual(back.session);
  });

  it('made twice with one id are one (S9)', async () => {
    await say('one');
    const id = await fork({ type: 'before', item: at('one') });
    expect(await stores.sessions.fork(lease, id, { type: 'before', item: at('one') })).toMatchObject({
      ok: true,
    });
    expect(await stores.sessions.conversations(lease.session_id)).toHaveLength(2);
  });

  it('are fenced like every write (S8)', async () => {
    await say('one');
    const active = await stores.sessions.conversation(lease.session_id);
    const other = await stores.another();
    await stores.sessions.release(lease);
    await other.sessions.acquire(lease.session_id, 'other', 60_000);
    const late = await stores.sessions.fork(lease, ConversationId.parse(`late_${number}`), { type: 'end' });
    expect(late).toMatchObject({ ok: false, error: { type: 'fenced' } });
    if (active)
      expect(await stores.sessions.activate(lease, active)).toMatchObject({ error: { type: 'fenced' } });
    expect(await stores.sessions.conversations(lease.session_id)).toHaveLength(1);
    await stores.sessions.delete(lease.session_id);
    const gone = await stores.sessions.fork(lease, ConversationId.parse('gone'), { type: 'end' });
    expect(gone).toMatchObject({ ok: false, error: { type: 'gone' } });
  });

  it('one of an old owner and a new one wins, never both', async () => {
    await say('one');
    const other = await stores.another();
    const old = lease;
    await stores.sessions.release(old);
    const results = await Promise.all([
      other.sessions.acquire(old.session_id, 'other', 60_000),
      ...Array.from({ length: 10 }, (_, n) =>
        stores.sessions.fork(old, ConversationId.parse(`race_${number}_${n}`), { type: 'end' }),
      ),
    ]);
    const made = results.slice(1).filter((each) => each && 'ok' in each && each.ok).length;
    expect(await stores.sessions.conversations(old.session_id)).toHaveLength(1 + made);
  });

  it('each has its last turn', async () => {
    const first = await stores.sessions.conversation(lease.session_id);
    const turn = (id: string) => ({
      id: TurnId.parse(`${id}_${number}`),
      status: 'done' as const,
      cause: null,
      reason: null,
      steps: 1,
    });
    const last = async () => (await stores.sessions.lastTurn(lease.session_id))?.id;
    await commit({ items: [item('one', 'user_message', null)], turn: turn('t1') });
    await commit({ items: [item('two', 'user_message', null)], turn: turn('t2') });
    await fork({ type: 'before', item: at('two') });
    expect(await last()).toBe(`t1_${number}`);
    await commit({ turn: turn('t3') });
    expect(await last()).toBe(`t3_${number}`);
    if (first) await activate(first);
    expect(await last()).toBe(`t2_${number}`);
    expect((await stores.sessions.snapshot(lease.session_id, 5))?.turn?.id).toBe(`t2_${number}`);
  });

  it('go with their session when it is deleted', async () => {
    await say('one');
    await fork({ type: 'end' });
    await say('two');
    expect(await stores.sessions.delete(lease.session_id)).toBe(true);
    for (const table of ['items', 'messages', 'conversations', 'turns'])
      expect(await stores.query(`select 1 from ${table} where session_id = $1`, [lease.session_id])).toEqual(
        [],
      );
    expect(await stores.sessions.conversations(lease.session_id)).toEqual([]);
  });
});

/** What belongs together: a branch of the model is a list of these. */
interface Group {
  readonly items: readonly string[];
  readonly messages: readonly string[];
  readonly history: readonly string[];
}
type Op =
  | { op: 'say'; count: number }
  | { op: 'step' }
  | { op: 'notice' }
  | { op: 'failed_call' }
  | { op: 'end' }
  | { op: 'activate'; pick: number }
  | { op: 'with' | 'before'; pick: number };

const plain = (op: 'step' | 'notice' | 'failed_call' | 'end') => fc.constant<Op>({ op });
const picking = (op: 'activate' | 'with' | 'before') => fc.nat(1000).map((pick): Op => ({ op, pick }));
const ops = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 2 }).map((count): Op => ({ op: 'say', count })),
    plain('step'),
    plain('step'),
    plain('notice'),
    plain('failed_call'),
    plain('end'),
    picking('activate'),
    picking('with'),
    picking('before'),
  ),
  { minLength: 4, maxLength: 24 },
);

/** Lists that are sliced: no positions, no parents. */
class Model {
  readonly branches = new Map<ConversationId, Group[]>();
  active: ConversationId;
  calls = 0;

  constructor(first: ConversationId) {
    this.active = first;
    this.branches.set(first, []);
  }

  get groups(): Group[] {
    return this.branches.get(this.active) ?? [];
  }

  add(items: string[], messages: string[], history = messages): void {
    this.groups.push({ items, messages, history });
  }

  fork(id: ConversationId, groups: Group[]): void {
    this.branches.set(id, groups);
    this.active = id;
  }

  /** The groups before an item's own; a step takes with it the notices since the last message. */
  before(id: string): Group[] {
    const index = this.groups.findIndex((group) => group.items.includes(id));
    const kept = this.groups.slice(0, index);
    if ((this.groups[index]?.messages.length ?? 0) > 1)
      while (kept.length > 0 && kept.at(-1)?.messages.length === 0) kept.pop();
    return kept;
  }

  with(id: string): Group[] {
    return this.groups.slice(0, this.groups.findIndex((group) => group.items.includes(id)) + 1);
  }

  seen() {
    return {
      items: this.groups.flatMap((group) => group.items),
      messages: this.groups.flatMap((group) => group.messages),
      history: this.groups.flatMap((group) => group.history),
    };
  }
}

const apply = async (model: Model, op: Op, n: number): Promise<void> => {
  const turn = `turn_${n}`;
  if (op.op === 'say') {
    const names = Array.from({ length: op.count }, (_, k) => `${n}_said${k}`);
    await commit({
      items: names.map((name) => item(name, 'user_message', turn)),
      messages: names.map((name) => row(name, 'user', turn)),
    });
    for (const name of names) model.add([name], [name]);
  } else if (op.op === 'step') {
    await step(`${n}`, turn);
    model.add([`${n}_text`, `${n}_call`, `${n}_asked`], [`${n}_answer`, `${n}_result`]);
    model.calls += 1;
  } else if (op.op === 'notice') {
    await commit({ items: [item(`${n}_notice`, 'notice', null)] });
    model.add([`${n}_notice`], []);
  } else if (op.op === 'failed_call') {
    const usage = { ...noUsage, request_tokens: 3 };
    const message = row(`${n}_failed`, 'assistant', turn, { usage, in_history: false });
    await commit({ messages: [message], spent: sampleSpent({ usage, cost_usd: null, basis: 'unknown' }) });
    model.add([], [`${n}_failed`], []);
    model.calls += 1;
  } else if (op.op === 'end') {
    model.fork(await fork({ type: 'end' }), [...model.groups]);
  } else if (op.op === 'activate') {
    const ids = [...model.branches.keys()];
    model.active = ids[op.pick % ids.length] ?? model.active;
    await activate(model.active);
  } else {
    const { items } = model.seen();
    const picked = items[op.pick % items.length];
    if (picked === undefined) return;
    const kept = op.op === 'with' ? model.with(picked) : model.before(picked);
    model.fork(await fork({ type: op.op, item: at(picked) }), kept);
  }
};

describe('any sequence of messages, forks and switches', () => {
  it('shows in each branch what a model of plain lists holds, and counts each call once (A17, T4)', async () => {
    await fc.assert(
      fc.asyncProperty(ops, async (sequence) => {
        await open();
        const first = await stores.sessions.conversation(lease.session_id);
        if (!first) throw new Error('no branch');
        const model = new Model(first);
        for (const [n, op] of sequence.entries()) await apply(model, op, n);
        for (const id of model.branches.keys()) {
          model.active = id;
          await activate(id);
          expect(await seen(lease.session_id)).toEqual(model.seen());
        }
        const listed = await stores.sessions.conversations(lease.session_id);
        expect(listed.map((each) => each.id)).toEqual([...model.branches.keys()]);
        const totals = await stores.sessions.totals(lease.session_id);
        expect(totals?.calls).toBe(model.calls);
        expect((await stores.usage.session(lease.session_id))?.totals).toEqual(totals);
        const [{ twice } = { twice: 1 }] = await stores.query(
          'select count(*)::int - count(distinct position)::int as twice from items where session_id = $1',
          [lease.session_id],
        );
        expect(twice).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the order of the queue', () => {
  const entry = (id: string) => ({
    id: QueueId.parse(id),
    text: id,
    attachments: [],
    deliver: 'queue' as const,
  });
  const ids = (written: Committed) => written.queue?.entries.map((each) => String(each.id)).join('');

  it('is as given; unknown ids are left out, and those not named come after, as they stood', async () => {
    await commit({ queue: { put: ['a', 'b', 'c', 'd'].map(entry) } });
    const order = ['d', 'x', 'b'].map((id) => QueueId.parse(id));
    expect(ids(await commit({ queue: { order } }))).toBe('dbac');
    expect((await stores.sessions.queue(lease.session_id)).map((each) => each.id).join('')).toBe('dbac');
    expect(ids(await commit({ queue: { put: [entry('e')] } }))).toBe('dbace');
  });

  it('holds for entries that are put and without those that are removed in the same change', async () => {
    await commit({ queue: { put: ['a', 'b', 'c'].map(entry) } });
    const written = await commit({
      queue: {
        put: [{ ...entry('c'), text: 'other' }, entry('d')],
        remove: [QueueId.parse('a')],
        order: ['d', 'c', 'a'].map((id) => QueueId.parse(id)),
      },
    });
    expect(ids(written)).toBe('dcb');
    expect(written.queue?.entries).toEqual(await stores.sessions.queue(lease.session_id));
    expect(written.queue?.entries[1]?.text).toBe('other');
  });
});
