import { z } from 'zod';
import { ConversationId, ItemId, SessionId, TurnId } from '../ids.ts';
import { Item, MessageText } from '../item.ts';
import { route } from '../route.ts';

import { Conversation, Session } from '../session.ts';

const one = z.object({ session_id: SessionId });

export const listConversations = route({
  id: 'listConversations',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/conversations',
  summary: 'The branches of a session, oldest first.',
  params: one,
  response: z.object({ conversations: z.array(Conversation) }),
  status: 200,
});

export const activateConversation = route({
  id: 'activateConversation',
  method: 'PUT',
  path: '/api/v1/sessions/:session_id/conversation',
  summary: 'Switches to another branch. Clients are told to take the snapshot again.',
  params: one,
  body: z.strictObject({ id: ConversationId }),
  response: z.object({ session: Session }),
  status: 200,
});

export const fork = route({
  id: 'fork',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/fork',
  summary:
    'Makes a branch that shares everything up to the step of an item (or everything), and switches to it. Repeating it with the same id, of the branch, gives the same branch.',
  params: one,
  body: z.strictObject({ id: ConversationId.optional(), at_item: ItemId.optional() }).default({}),
  response: z.object({ session: Session, conversation: Conversation }),
  status: 201,
});

export const retry = route({
  id: 'retry',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/retry',
  summary:
    'Answers the last message again, on a new branch. The first answer is kept on its own. A message that nothing has answered yet, as after a fork at it, is answered on the branch that is open. Repeating it with the same id, of the turn, gives the same turn.',
  params: one,
  body: z.strictObject({ id: TurnId.optional() }).default({}),
  response: z.object({ session: Session, turn_id: TurnId }),
  status: 202,
});

export const editMessage = route({
  id: 'editMessage',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/edit',
  summary:
    'Sends a message of the past again with other words, on a new branch. Repeating it with the same id, of the new message, gives the same message.',
  params: one,
  body: z.strictObject({ id: ItemId.optional(), item_id: ItemId, text: MessageText }),
  response: z.object({ session: Session, item: Item, turn_id: TurnId }),
  status: 202,
});
