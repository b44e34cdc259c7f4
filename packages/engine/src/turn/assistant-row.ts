import type { MessageWrite } from '@maestro/ports';
import type { Json, MessageId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import type { TurnContext } from './turn-context.ts';

/** The row of one answer, without what it cost and how it ended. Times in milliseconds since it was asked for. */
export const assistantRow = (
  { turn_id, session }: Pick<TurnContext, 'turn_id' | 'session'>,
  content: Json,
  times: { readonly latency_ms: number; readonly first_token_ms: number | null },
): Pick<
  MessageWrite,
  'id' | 'turn_id' | 'role' | 'content' | 'provider' | 'model' | 'latency_ms' | 'first_token_ms'
> => ({
  id: newId<MessageId>('msg'),
  turn_id,
  role: 'assistant',
  content,
  provider: session.provider,
  model: session.model,
  ...times,
});
