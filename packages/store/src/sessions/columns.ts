/**
 * Columns of `items i`, with the checkpoints of those whose text still grows. One statement, so that a chunk cannot
 * be folded away between reading the row and reading its chunks.
 */
export const itemColumns = `i.*, case when i.status in ('streaming', 'running') then (
  select json_agg(c order by c.field, c.off) from item_chunks c where c.session_id = i.session_id and c.item_id = i.id) end as chunks`;

/** Columns of a card: a session without its long texts. */
export const cardColumns = [
  ...['session_id', 'title', 'kind', 'agent_name', 'provider', 'model', 'auth_type', 'base_url', 'effort'],
  ...[
    'working_directory',
    'access_mode',
    'status',
    'waiting_for',
    'conversation_id',
    'seq',
    'session_seq',
    'queue_seq',
    'branch_seq',
  ],
  ...[
    'last_position',
    'last_ordinal',
    'request_tokens',
    'response_tokens',
    'cache_read_tokens',
    'cache_write_tokens',
  ],
  ...[
    'reasoning_tokens',
    'calls',
    'unpriced_calls',
    'estimated_calls',
    'cost_usd',
    'context_tokens',
    'preview',
  ],
  ...[
    'lease_owner',
    'lease_epoch',
    'lease_until',
    'archived_at',
    'last_activity_at',
    'created_at',
    'updated_at',
  ],
].join(', ');
