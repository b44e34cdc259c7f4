import type { Changes, Engine, Publisher, SessionEvent } from '@maestro/ports';
import { fail, ok } from '@maestro/ports';
import {
  type Card,
  type Conversation,
  type ConversationId,
  type Item,
  type ItemId,
  newId,
  type QueueEntry,
  type Session,
  type SessionId,
  type Snapshot,
  type Turn,
  type TurnId,
  withText,
} from '@maestro/protocol';

export const noTotals = {
  request_tokens: 0,
  response_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  reasoning_tokens: 0,
  calls: 0,
  unpriced_calls: 0,
  estimated_calls: 0,
  cost_usd: '0',
};

interface Held {
  session: Session;
  seq: number;
  /** When the active branch last changed. What is written before and after shares one list here. */
  branch_seq: number;
  readonly conversations: Conversation[];
  readonly items: Map<ItemId, Item>;
  readonly turns: Map<TurnId, Turn>;
  readonly queue: QueueEntry[];
  /** What streams now, whole text. */
  readonly live: Map<ItemId, Item>;
}

/**
 * Sessions in memory with the feed's rules: a row gets the next `seq` when it is committed, and is published after
 * that, in order; text between commits goes out as deltas. Scripts of a test drive it in place of an agent.
 */
export class World {
  epoch = 'epoch-1';
  /** Called for each read of the feed: lets a test put time between reading and answering. */
  pause: () => Promise<void> = () => Promise.resolve();
  publish: (events: readonly SessionEvent[]) => void = () => undefined;
  reset: Publisher['reset'] = () => undefined;
  readonly held = new Map<SessionId, Held>();

  get(id: SessionId): Held {
    const held = this.held.get(id);
    if (!held) throw new Error(`no session ${id} in this test`);
    return held;
  }

  newSession(id: SessionId = newId<SessionId>('ses'), changes: Partial<Session> = {}): Session {
    const known = this.held.get(id);
    if (known) return known.session;
    const at = new Date().toISOString();
    const session: Session = {
      id,
      title: 'A session',
      kind: 'chat',
      agent_name: 'assistant',
      provider: 'anthropic',
      model: 'claude',
      auth_type: 'api_key',
      base_url: null,
      effort: null,
      working_directory: '/tmp',
      system_prompt: '',
      access_mode: 'full',
      tools: {},
      status: 'idle',
      waiting_for: null,
      conversation_id: newId<ConversationId>('con'),
      seq: 0,
      totals: noTotals,
      context_tokens: 0,
      archived_at: null,
      last_activity_at: at,
      created_at: at,
      updated_at: at,
      ...changes,
    };
    this.held.set(id, {
      session,
      seq: 0,
      branch_seq: 0,
      conversations: [
        {
          id: session.conversation_id,
          parent_id: null,
          fork_position: null,
          preview: '',
          active: true,
          created_at: at,
        },
      ],
      items: new Map(),
      turns: new Map(),
      queue: [],
      live: new Map(),
    });
    this.publish([{ stream: 'sessions', kind: 'card', data: this.card(id) }]);
    return session;
  }

  card(id: SessionId): Card {
    const { system_prompt: _, tools: __, ...session } = this.get(id).session;
    return { ...session, preview: '' };
  }

  /** Writes an item and tells when `later` has passed. Gives the committed row. */
  async put(
    id: SessionId,
    item: Pick<Item, 'kind' | 'status' | 'data'> & { id: ItemId },
    later = this.pause,
  ): Promise<Item> {
    const held = this.get(id);
    const before = held.items.get(item.id);
    held.seq += 1;
    const at = new Date().toISOString();
    const row = {
      session_id: id,
      conversation_id: held.session.conversation_id,
      turn_id: null,
      position: before?.position ?? held.items.size + 1,
      created_at: before?.created_at ?? at,
      updated_at: at,
      seq: held.seq,
      ...item,
    } as Item;
    held.items.set(row.id, row);
    held.session = { ...held.session, seq: held.seq };
    if (row.status === 'streaming') held.live.set(row.id, row);
    await later();
    if (row.status !== 'streaming') held.live.delete(row.id);
    this.publish([{ stream: `session:${id}`, kind: 'item', seq: row.seq, data: row }]);
    return row;
  }

  /** Grows a streaming item. */
  grow(id: SessionId, item: ItemId, text: string): void {
    const held = this.get(id);
    const live = held.live.get(item);
    if (live?.kind !== 'agent_message') throw new Error(`${item} does not stream`);
    held.live.set(item, withText(live, 'text', text));
    const data = { item, field: 'text' as const, off: live.data.text.length, text };
    this.publish([{ stream: `session:${id}`, kind: 'delta', data }]);
  }

  conversations(id: SessionId): Conversation[] {
    const held = this.held.get(id);
    const active = held?.session.conversation_id;
    return (held?.conversations ?? []).map((each) => ({ ...each, active: each.id === active }));
  }

  /** Goes over to a branch and tells those who follow. */
  switchTo(id: SessionId, conversation_id: ConversationId): Session {
    const held = this.get(id);
    held.seq += 1;
    held.branch_seq = held.seq;
    held.session = { ...held.session, conversation_id, seq: held.seq };
    this.publish([{ stream: `session:${id}`, kind: 'session', seq: held.seq, data: held.session }]);
    this.reset(`session:${id}`, 'branch');
    return held.session;
  }

  #withLive(id: SessionId, item: Item): Item {
    return this.get(id).live.get(item.id) ?? item;
  }

  readonly engine: Engine = {
    create: async (body) => ok(this.newSession(body.id, { ...body, id: body.id ?? newId<SessionId>('ses') })),
    patch: async (id, body) => {
      const held = this.held.get(id);
      if (!held) return fail('not_found', `There is no session "${id}".`, { field: 'params.session_id' });
      const { archived: _, ...changes } = body;
      held.session = { ...held.session, ...changes };
      return ok(held.session);
    },
    delete: async (id) =>
      this.held.delete(id)
        ? ok(undefined)
        : fail('not_found', `There is no session "${id}".`, { field: 'params.session_id' }),
    send: async (id, body) => {
      if (!this.held.has(id))
        return fail('not_found', `There is no session "${id}".`, { field: 'params.session_id' });
      const item = await this.put(id, {
        id: body.id ?? newId<ItemId>('itm'),
        kind: 'user_message',
        status: 'done',
        data: { text: body.text },
      });
      return ok({ item });
    },
    patchQueued: async () => fail('not_found', 'There is no such message waiting.', { field: 'params.id' }),
    deleteQueued: async () => fail('not_found', 'There is no such message waiting.', { field: 'params.id' }),
    interrupt: async (id) =>
      this.held.has(id) ? ok(this.get(id).session) : fail('not_found', 'There is no such session.'),
    resume: async (id) =>
      this.held.has(id)
        ? fail('conflict', 'There is nothing to resume.')
        : fail('not_found', 'There is no such session.'),
    fork: async (id) => {
      const held = this.held.get(id);
      if (!held) return fail('not_found', 'There is no such session.', { field: 'params.session_id' });
      const conversation: Conversation = {
        id: newId<ConversationId>('con'),
        parent_id: held.session.conversation_id,
        fork_position: held.items.size,
        preview: '',
        active: true,
        created_at: new Date().toISOString(),
      };
      held.conversations.push(conversation);
      return ok({ session: this.switchTo(id, conversation.id), conversation });
    },
    activate: async (id, conversation) =>
      this.held.get(id)?.conversations.some((each) => each.id === conversation)
        ? ok(this.switchTo(id, conversation))
        : fail('not_found', 'There is no such branch.', { field: 'body.id' }),
    retry: async (id) =>
      this.held.has(id)
        ? fail('conflict', 'There is no message to answer again: send one.')
        : fail('not_found', 'There is no such session.', { field: 'params.session_id' }),
    edit: async () => fail('not_found', 'There is no such message.', { field: 'body.item_id' }),
    answer: async () => fail('not_found', 'There is no such question.', { field: 'params.item_id' }),
    snapshot: async (id, tail) => {
      const held = this.held.get(id);
      if (!held) return undefined;
      const all = [...held.items.values()].toSorted((a, b) => a.position - b.position);
      const picture: Snapshot = {
        session: held.session,
        epoch: this.epoch,
        seq: held.seq,
        items: all.slice(-tail).map((item) => this.#withLive(id, item)),
        has_older: all.length > tail,
        turn: null,
        queue: [],
        conversation_id: held.session.conversation_id,
        live: [...held.live.keys()],
      };
      await this.pause();
      return picture;
    },
    changes: async (id, after, limit) => {
      const held = this.held.get(id);
      if (!held) return undefined;
      const items = [...held.items.values()].filter((row) => row.seq > after);
      const turns = [...held.turns.values()].filter((row) => row.seq > after);
      const seqs = [...items, ...turns].map((row) => row.seq).toSorted((a, b) => a - b);
      const last = seqs[limit - 1] ?? Number.POSITIVE_INFINITY;
      const changes: Changes = {
        epoch: this.epoch,
        seq: held.seq,
        branch_seq: held.branch_seq,
        items: items.filter((row) => row.seq <= last).toSorted((a, b) => a.seq - b.seq),
        turns: turns.filter((row) => row.seq <= last).toSorted((a, b) => a.seq - b.seq),
        session: held.session,
        queue: held.queue,
        complete: seqs.length <= limit,
      };
      await this.pause();
      return changes;
    },
    items: async (id, { before = Number.POSITIVE_INFINITY, after, limit }) => {
      const all = [...(this.held.get(id)?.items.values() ?? [])]
        .filter((item) => item.position < before && item.position > (after ?? 0))
        .toSorted((a, b) => a.position - b.position);
      const forwards = after !== undefined && before === Number.POSITIVE_INFINITY;
      const page = forwards ? all.slice(0, limit) : all.slice(-limit);
      const items = page.map((item) => this.#withLive(id, item));
      await this.pause();
      return { items, has_more: all.length > limit };
    },
    item: async (id, item) => {
      const found = this.held.get(id)?.items.get(item);
      const now = found && this.#withLive(id, found);
      await this.pause();
      return now;
    },
    live: (id) => [...(this.held.get(id)?.live.values() ?? [])],
    running: () => 0,
    drain: async () => undefined,
  };
}
