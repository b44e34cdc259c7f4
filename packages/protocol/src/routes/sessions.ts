import { z } from 'zod';
import { Message, RawExchange } from '../audit.ts';
import { BlobId, ItemId, MessageId, QueueId, SessionId, TurnId } from '../ids.ts';
import { Item, MessageText, mostText } from '../item.ts';
import { Snapshot } from '../live.ts';
import { route } from '../route.ts';
import { Card, Effort, QueueEntry, Session, ToolSwitches } from '../session.ts';
import { withoutLogin } from '../shown-url.ts';
import { Totals, UsageLine } from '../usage.ts';
import { AccessMode, AuthType, Decision, ProviderId } from '../words.ts';

const one = z.object({ session_id: SessionId });
const flag = z.stringbool();
const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);
const position = z.coerce.number().int().nonnegative().optional();
const title = z.string().trim().min(1).max(200);
const model = z.string().trim().min(1).max(200);
const prompt = z.string().max(500_000);
const folder = z.string().min(1).max(4096);
const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  // It is stored and shown as it is.
  .refine((url) => withoutLogin(url) === url, {
    error: 'must hold no name and password: they would not be sent. Save the key under Keys & accounts',
  })
  .nullable();

export const listSessions = route({
  id: 'listSessions',
  method: 'GET',
  path: '/api/v1/sessions',
  summary: 'Sessions by last activity, newest first.',
  query: z.object({ limit: limit(200, 50), before: z.string().optional(), archived: flag.default(false) }),
  response: z.object({ sessions: z.array(Card), next: z.string().nullable() }),
  status: 200,
});

export const createSession = route({
  id: 'createSession',
  method: 'POST',
  path: '/api/v1/sessions',
  summary: 'Makes a session. Repeating it with the same id gives the same session.',
  body: z.strictObject({
    id: SessionId.optional(),
    title: title.optional(),
    agent_name: z.string().trim().min(1).max(100).optional(),
    provider: ProviderId,
    model: model.optional(),
    auth_type: AuthType.optional(),
    base_url: baseUrl.optional(),
    effort: Effort.nullable().optional(),
    working_directory: folder,
    system_prompt: prompt.optional(),
    access_mode: AccessMode.optional(),
    tools: ToolSwitches.optional(),
  }),
  response: z.object({ session: Session }),
  status: 201,
});

export const getSession = route({
  id: 'getSession',
  method: 'GET',
  path: '/api/v1/sessions/:session_id',
  summary: 'One session.',
  params: one,
  response: z.object({ session: Session }),
  status: 200,
});

export const patchSession = route({
  id: 'patchSession',
  method: 'PATCH',
  path: '/api/v1/sessions/:session_id',
  summary: 'Changes a session; the next message uses it.',
  params: one,
  body: z
    .strictObject({
      title: title.optional(),
      provider: ProviderId.optional(),
      model: model.optional(),
      auth_type: AuthType.optional(),
      base_url: baseUrl.optional(),
      effort: Effort.nullable().optional(),
      system_prompt: prompt.optional(),
      access_mode: AccessMode.optional(),
      tools: ToolSwitches.optional(),
      archived: z.boolean().optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'must name at least one field to change'),
  response: z.object({ session: Session }),
  status: 200,
});

export const deleteSession = route({
  id: 'deleteSession',
  method: 'DELETE',
  path: '/api/v1/sessions/:session_id',
  summary: 'Deletes a session with its history. What it cost stays counted.',
  params: one,
  response: 'none',
  status: 204,
});

export const sendMessage = route({
  id: 'sendMessage',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/messages',
  summary:
    'Sends a message. While a turn runs it is queued (`queue`) or goes in before the next step (`now`).',
  params: one,
  body: z
    .strictObject({
      id: ItemId.optional(),
      text: z.string().max(mostText),
      attachments: z.array(BlobId).max(20).optional(),
      deliver: z.enum(['queue', 'now']).default('queue'),
    })
    .refine((body) => body.text.trim() !== '' || (body.attachments?.length ?? 0) > 0, {
      path: ['text'],
      message: 'must not be empty when there are no attachments',
    }),
  response: z.object({ item: Item.optional(), queued: QueueEntry.optional(), turn_id: TurnId.optional() }),
  status: 202,
});

export const getQueue = route({
  id: 'getQueue',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/queue',
  summary: 'Messages that wait for the running turn.',
  params: one,
  response: z.object({ queue: z.array(QueueEntry) }),
  status: 200,
});

const queued = z.object({ session_id: SessionId, id: QueueId });

export const patchQueued = route({
  id: 'patchQueued',
  method: 'PATCH',
  path: '/api/v1/sessions/:session_id/queue/:id',
  summary:
    'Edits a waiting message, moves it (`index` in the queue, from 0), or sends it now (`deliver: "now"`).',
  params: queued,
  body: z
    .strictObject({
      text: MessageText.optional(),
      deliver: z.enum(['queue', 'now']).optional(),
      index: z.int().nonnegative().optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'must name at least one field to change'),
  response: z.object({ queue: z.array(QueueEntry) }),
  status: 200,
});

export const deleteQueued = route({
  id: 'deleteQueued',
  method: 'DELETE',
  path: '/api/v1/sessions/:session_id/queue/:id',
  summary: 'Takes a waiting message back.',
  params: queued,
  response: 'none',
  status: 204,
});

export const interrupt = route({
  id: 'interrupt',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/interrupt',
  summary: 'Stops the running turn; what had arrived is kept.',
  params: one,
  response: z.object({ session: Session }),
  status: 200,
});

export const resume = route({
  id: 'resume',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/resume',
  summary: 'Continues an interrupted or failed turn from its last finished step.',
  params: one,
  response: z.object({ turn_id: TurnId }),
  status: 202,
});

export const answer = route({
  id: 'answer',
  method: 'POST',
  path: '/api/v1/sessions/:session_id/answers/:item_id',
  summary: 'Answers an approval or a question. A second answer is a conflict.',
  params: z.object({ session_id: SessionId, item_id: ItemId }),
  body: z.strictObject({ decision: Decision }),
  response: z.object({ item: Item }),
  status: 200,
});

export const snapshot = route({
  id: 'snapshot',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/snapshot',
  summary: 'The session as a client first needs it: its last items and the cursor to subscribe after.',
  params: one,
  query: z.object({ tail: limit(500, 60) }),
  response: Snapshot,
  status: 200,
});

export const listItems = route({
  id: 'listItems',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/items',
  summary: 'History by position, in order. `before` pages back, `after` forward.',
  params: one,
  query: z.object({ before: position, after: position, limit: limit(500, 60) }),
  response: z.object({ items: z.array(Item), has_more: z.boolean() }),
  status: 200,
});

export const getItem = route({
  id: 'getItem',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/items/:item_id',
  summary: 'One item as it is now, streaming text included.',
  params: z.object({ session_id: SessionId, item_id: ItemId }),
  response: z.object({ item: Item }),
  status: 200,
});

export const listMessages = route({
  id: 'listMessages',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/messages',
  summary: 'What the model was sent and what was billed, in order. `before` (an ordinal) pages back.',
  params: one,
  query: z.object({ before: position, limit: limit(200, 50) }),
  response: z.object({ messages: z.array(Message), next: z.int().nullable() }),
  status: 200,
});

export const rawMessage = route({
  id: 'rawMessage',
  method: 'GET',
  path: '/api/v1/messages/:id/raw',
  summary: "The exact request and the provider's own response of one call; secrets masked.",
  params: z.object({ id: MessageId }),
  response: RawExchange,
  status: 200,
});

export const sessionUsage = route({
  id: 'sessionUsage',
  method: 'GET',
  path: '/api/v1/sessions/:session_id/usage',
  summary: 'Tokens and cost of a session, by activity, and of it with its sub-agents and tasks.',
  params: one,
  response: z.object({
    totals: Totals,
    tree: Totals,
    by_activity: z.array(UsageLine),
    by_model: z.array(UsageLine),
  }),
  status: 200,
});

export const putBlob = route({
  id: 'putBlob',
  method: 'POST',
  path: '/api/v1/blobs',
  summary: 'Stores an image or file of at most 25 MB for a message (raw body, its own content type).',
  body: 'bytes',
  response: z.object({ id: BlobId, media_type: z.string(), size: z.int() }),
  status: 201,
});

export const getBlob = route({
  id: 'getBlob',
  method: 'GET',
  path: '/api/v1/blobs/:id',
  summary: 'A stored blob.',
  params: z.object({ id: BlobId }),
  response: 'bytes',
  status: 200,
});
