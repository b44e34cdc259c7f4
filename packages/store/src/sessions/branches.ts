import type {
  BranchError,
  Change,
  CommitError,
  Committed,
  Lease,
  Result,
  SessionStore,
} from '@maestro/ports';
import type { Conversation, ConversationId, ItemOf, SessionId } from '@maestro/protocol';
import type { Database, Statement } from '../database.ts';
import { cardOf, instant, type SessionRow, sessionOf } from '../rows.ts';
import { clean } from '../text.ts';
import { chain, everything, itemsOfChain, messagesOfChain, turnsOfChain } from './chain.ts';
import { makeCommit, type Prepare, refused, unavailable } from './commit.ts';
import { findPlace, type Shared } from './fork-place.ts';

type Branches = Pick<SessionStore, 'fork' | 'activate' | 'conversations'>;
type Changed = Result<Committed, BranchError>;

type Queries = Pick<Database, 'query'>;

export const makeBranches = (db: Database, prepare: Prepare): Branches => {
  /** No row: the lease is another's, the session is gone, or there is no such branch. */
  const change = async (lease: Lease, statement: Statement, on: Queries = db): Promise<Changed> => {
    const [row] = await on.query<{ session: SessionRow; cost_usd: string }>(statement);
    if (!row) return (await refused(db, lease)) ?? unknown('This session has no branch with this id.');
    // A decimal would lose digits in JSON.
    const session = { ...row.session, cost_usd: row.cost_usd };
    return {
      ok: true,
      value: { seq: session.seq, items: [], session: sessionOf(session), card: cardOf(session) },
    };
  };
  const answered = (work: Promise<Changed>): Promise<Changed> => work.catch(unavailable);
  /** For the card: the first line of what was said last on a branch, up to a position. */
  const lastWords = async (branch: ConversationId, position: number): Promise<string> => {
    const rows = await db.query<{ data: ItemOf<'user_message' | 'agent_message'>['data'] }>({
      name: 'last_words',
      text: `with recursive ${chain('$1')} ${itemsOfChain(
        'i.data, i.position',
        `i.position <= $2 and i.kind in ('user_message', 'agent_message') and i.status <> 'removed'`,
        'desc',
        `${wordsBack}`,
      )}`,
      values: [branch, position],
    });
    return rows.map(({ data }) => firstLine(data.text)).find((words) => words !== '') ?? '';
  };
  const activate = async (lease: Lease, id: ConversationId): Promise<Changed> =>
    change(lease, activateStatement(lease, id, await lastWords(id, everything)));

  const forkWith = (lease: Lease, statement: Statement, first: Change): Promise<Changed> =>
    db
      .transaction(async (tx) => {
        const made = await change(lease, statement, tx);
        if (!made.ok) return made;
        const written = await makeCommit(tx, prepare)(lease, first);
        // Thrown, so that the branch is not made either.
        if (!written.ok) throw new NotWritten(written.error);
        return written;
      })
      .catch((error: unknown) => {
        if (error instanceof NotWritten) return { ok: false, error: error.why };
        throw error;
      });

  return {
    fork: (lease, id, place, first) =>
      answered(
        (async () => {
          const [known] = await db.query<{ session_id: SessionId }>({
            text: 'select session_id from conversations where id = $1',
            values: [id],
          });
          if (known && known.session_id !== lease.session_id) return taken;
          // Asked a second time, because the outcome of the first was unknown.
          if (known) return activate(lease, id);
          const shared = await findPlace(db, lease.session_id, place);
          if (shared) {
            const preview = await lastWords(shared.parent_id, shared.position);
            const statement = forkStatement(lease, id, shared, preview);
            return first ? forkWith(lease, statement, first) : change(lease, statement);
          }
          return (
            (await refused(db, lease)) ??
            unknown('This item is not of the branch that is open now. Switch to its branch first.')
          );
        })(),
      ),

    activate: (lease, conversation) => answered(activate(lease, conversation)),

    conversations: async (id) => {
      const rows = await db.query<ListedRow>({ name: 'conversations', text: listText, values: [id] });
      return rows.map(conversationOf);
    },
  };
};

class NotWritten extends Error {
  readonly why: CommitError;
  constructor(why: CommitError) {
    super(why.message);
    this.why = why;
  }
}

const taken: Changed = {
  ok: false,
  error: { type: 'taken', message: 'Another session has a branch with this id.' },
};
const unknown = (message: string): Changed => ({ ok: false, error: { type: 'unknown', message } });

/** A session that works goes on; one that does not is as the last turn of the branch ended. */
const statusAfter = (last_turn: string): string =>
  `case when status in ('running', 'waiting') then status when ${last_turn} = 'failed' then 'failed' else 'idle' end`;

/** Makes the branch in `$4`, whose last words are `$5`, the active one. `last_turn`: the status of its last turn. */
const switched = (context_tokens: string, last_turn: string, where = 'true'): string => `s as (
  update sessions set conversation_id = $4, preview = $5, seq = seq + 1, session_seq = seq + 1, branch_seq = seq + 1,
    context_tokens = ${context_tokens}, status = ${statusAfter(last_turn)}, updated_at = now()
  where session_id = $1 and lease_owner = $2 and lease_epoch = $3 and ${where} returning *)`;

const forkStatement = (lease: Lease, id: ConversationId, shared: Shared, preview: string): Statement => ({
  name: 'fork',
  text: `with ${switched('$9::bigint', '$10::text')},
    made as (insert into conversations (id, session_id, parent_id, fork_position, fork_ordinal)
      select s.conversation_id, s.session_id, $6, $7, $8 from s)
    select row_to_json(s) as session, s.cost_usd from s`,
  values: [
    ...[lease.session_id, lease.owner, lease.epoch, id, clean(preview)],
    ...[shared.parent_id, shared.position, shared.ordinal, shared.context_tokens, shared.last_turn],
  ],
});

const lastCall = messagesOfChain(
  'm.ordinal, m.request_tokens + m.response_tokens as tokens',
  `m.role = 'assistant' and m.in_history and m.request_tokens is not null`,
  'desc',
  '1',
);

const activateStatement = (lease: Lease, conversation: ConversationId, preview: string): Statement => ({
  name: 'activate',
  text: `with recursive ${chain('(select id from conversations where id = $4 and session_id = $1)')},
    call as (${lastCall}),
    turn as (select t.status ${turnsOfChain('true')} order by t.no desc limit 1),
    ${switched('coalesce((select tokens from call), 0)', '(select status from turn)', 'exists (select 1 from chain)')}
    select row_to_json(s) as session, s.cost_usd from s`,
  values: [lease.session_id, lease.owner, lease.epoch, conversation, clean(preview)],
});

interface ListedRow extends Omit<Conversation, 'created_at' | 'preview'> {
  readonly created_at: Date;
  readonly own: ItemOf<'user_message' | 'agent_message'>['data'] | null;
  readonly shared: ItemOf<'user_message'>['data'] | null;
}

const said = (where: string, kinds: string, order: string): string => `
  select i.data from items i where ${where} and i.kind in (${kinds}) and i.data ->> 'text' <> '' and i.status <> 'removed'
  order by i.position ${order} limit 1`;

/** Each branch with the first words that are its own (of an answer given again, the answer's), or else the last of the user that it shares. */
const listText = `select c.id, c.parent_id, c.fork_position, c.created_at, c.id = s.conversation_id as active, own.data as own, shared.data as shared
  from sessions s join conversations c on c.session_id = s.session_id
  left join lateral (${said('i.conversation_id = c.id', `'user_message', 'agent_message'`, 'asc')}) own on true
  left join lateral (
    with recursive ${chain('c.id')}
    select i.data from chain k cross join lateral (${said('i.conversation_id = k.id and i.position <= k.most_position', `'user_message'`, 'desc')}) i
    where own.data is null order by k.depth limit 1) shared on true
  where s.session_id = $1 order by c.no`;

/** Longest preview, UTF-16 units. */
const previewLength = 200;
/** Messages looked at for one that says something. */
const wordsBack = 20;

const firstLine = (text: string): string => text.trim().split('\n', 1)[0]?.slice(0, previewLength) ?? '';

const conversationOf = ({ own, shared, created_at, ...row }: ListedRow): Conversation => ({
  ...row,
  preview: firstLine((own ?? shared)?.text ?? ''),
  created_at: instant(created_at),
});
