/**
 * What a branch sees: `chain(id, most_position, most_ordinal, depth, …)`, itself first (depth 0), then each parent up to
 * where it was left. The ranges of its links do not overlap, so each is read by index and bounded by the caller's limit.
 * To be used after `with recursive`; `branch` is a query of one conversation id.
 */
export const chain = (branch: string): string => `chain as (
  select id, parent_id, fork_position, fork_ordinal, ${everything}::bigint as most_position, ${everything}::bigint as most_ordinal, 0 as depth
  from conversations where id = ${branch}
  union all
  select p.id, p.parent_id, p.fork_position, p.fork_ordinal, least(k.most_position, k.fork_position), least(k.most_ordinal, k.fork_ordinal), k.depth + 1
  from chain k join conversations p on p.id = k.parent_id)`;

/** Above every position and every ordinal. */
export const everything = Number.MAX_SAFE_INTEGER;

/** The chain of the active branch of the session in `$1`. */
export const activeChain = chain('(select conversation_id from sessions where session_id = $1)');

/** The first `limit` rows of the chain by position, as `i`; `where` speaks of `i` and of the link `k`. */
export const itemsOfChain = (select: string, where: string, order: 'asc' | 'desc', limit: string): string => `
  select i.* from chain k cross join lateral (
    select ${select} from items i where i.conversation_id = k.id and i.position <= k.most_position and ${where}
    order by i.position ${order} limit ${limit}) i
  order by i.position ${order} limit ${limit}`;

/** The turns of the session in `$1` that the chain shows, as `t`: a turn is seen from where it was started on. */
export const turnsOfChain = (where: string): string => `
  from turns t join chain k on k.id = t.conversation_id and t.position <= k.most_position
  where t.session_id = $1 and ${where}`;

/** The first `limit` rows of the chain by ordinal, as `m`. */
export const messagesOfChain = (
  select: string,
  where: string,
  order: 'asc' | 'desc',
  limit: string,
): string => `
  select m.* from chain k cross join lateral (
    select ${select} from messages m where m.conversation_id = k.id and m.ordinal <= k.most_ordinal and ${where}
    order by m.ordinal ${order} limit ${limit}) m
  order by m.ordinal ${order} limit ${limit}`;
