import type { Change, HistoryRow, Lease, SessionStore } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { compress, decompress } from '../blobs.ts';
import type { Database } from '../database.ts';
import { type MessageRow, messageOf } from '../rows.ts';
import type { Exchanges } from '../segments/exchanges.ts';
import { activeChain, everything, messagesOfChain } from './chain.ts';
import type { Prepare } from './commit.ts';
import type { StoredChange, StoredExchange } from './stored-change.ts';

/** The columns of a list of messages: never the raw ones. */
const listColumns = [
  ...[
    'id',
    'session_id',
    'conversation_id',
    'turn_id',
    'ordinal',
    'position',
    'role',
    'content',
    'native',
    'in_history',
    'provider',
    'model',
  ],
  ...[
    'request_tokens',
    'response_tokens',
    'cache_read_tokens',
    'cache_write_tokens',
    'cache_write_1h_tokens',
    'reasoning_tokens',
  ],
  ...[
    'estimated',
    'total_cost_usd',
    'price_revision',
    'latency_ms',
    'first_token_ms',
    'stop_reason',
    'error',
    'created_at',
    'updated_at',
  ],
].join(', ');

/** Stores the segments of the change's requests and packs its responses. */
export const prepareWith =
  (exchanges: Exchanges): Prepare =>
  async (lease: Lease, change: Change) => {
    if (!change.messages) return { change: { ...change, messages: undefined }, written: nothing };
    const messages: NonNullable<StoredChange['messages']>[number][] = [];
    const written: (() => void)[] = [];
    for (const message of change.messages) {
      let stored: StoredExchange | null = null;
      if (message.exchange) {
        const kept = await exchanges.store(lease.session_id, message.id, message.exchange);
        stored = kept.stored;
        written.push(kept.written);
      }
      const { response } = message;
      const packed =
        response === undefined || response === null
          ? null
          : await compress(Buffer.from(JSON.stringify(response)));
      messages.push({ message, stored, response: packed });
    }
    return {
      change: { ...change, messages },
      written: () => {
        for (const tell of written) tell();
      },
    };
  };

const nothing = (): void => undefined;

export const makeMessages = (
  db: Database,
  exchanges: Exchanges,
): Pick<SessionStore, 'history' | 'messages' | 'raw'> => ({
  history: async (id) => {
    // Each branch of the chain is read by index; put in order here, where rows that are nearly in order cost nothing.
    const rows = await db.query<HistoryRow>({
      name: 'history',
      text: `with recursive ${activeChain}
        select m.* from (select * from chain order by depth desc) k cross join lateral (
          select id, turn_id, ordinal, role, content, native from messages m
          where m.conversation_id = k.id and m.ordinal <= k.most_ordinal and m.in_history order by m.ordinal limit ${everything}) m`,
      values: [id],
    });
    return rows.toSorted((a, b) => a.ordinal - b.ordinal);
  },

  messages: async (id, { before, limit }) => {
    const rows = await db.query<MessageRow>({
      name: 'messages',
      text: `with recursive ${activeChain} ${messagesOfChain(listColumns, 'm.ordinal < $2', 'desc', '$3')}`,
      values: [id, before ?? Number.MAX_SAFE_INTEGER, limit + 1],
    });
    const page = rows.slice(0, limit);
    return {
      messages: page.map(messageOf).toReversed(),
      next: rows.length > limit ? (page.at(-1)?.ordinal ?? null) : null,
    };
  },

  raw: async (id) => {
    const [row] = await db.query<{ raw_head: StoredExchange['head'] | null; raw_response: Buffer | null }>({
      text: 'select raw_head, raw_response from messages where id = $1',
      values: [id],
    });
    if (!row?.raw_head) return undefined;
    const body = await exchanges.restore(id);
    const response: Json | null = row.raw_response
      ? JSON.parse((await decompress(row.raw_response)).toString('utf8'))
      : null;
    return {
      message_id: id,
      method: row.raw_head.method,
      url: row.raw_head.url,
      request_headers: row.raw_head.request_headers.map(([name, value]) => [name, value]),
      request_body: body?.toString('utf8') ?? '',
      response_status: row.raw_head.response_status,
      response_headers: row.raw_head.response_headers.map(([name, value]) => [name, value]),
      response,
    };
  },
});
