import { z } from 'zod';

/** The state words of the product. One list each, used by the database, the API and every client. */
export const ProviderId = z.enum([
  'anthropic',
  'openai',
  'openai_chat',
  'gemini',
  'ollama',
  'compatible',
  'claude_code',
  'acp',
]);
export type ProviderId = z.infer<typeof ProviderId>;
/** Those we call over HTTP ourselves; the others are programs on this machine. */
export const HttpProviderId = ProviderId.exclude(['claude_code', 'acp']);
export type HttpProviderId = z.infer<typeof HttpProviderId>;

export const AuthType = z.enum(['api_key', 'oauth', 'none', 'cli']);
export type AuthType = z.infer<typeof AuthType>;

export const SessionStatus = z.enum(['idle', 'running', 'waiting', 'failed']);
export type SessionStatus = z.infer<typeof SessionStatus>;

export const WaitingFor = z.enum(['person', 'child', 'budget', 'store', 'rate_limit']);
export type WaitingFor = z.infer<typeof WaitingFor>;

export const SessionKind = z.enum(['chat', 'task', 'sub_agent']);
export type SessionKind = z.infer<typeof SessionKind>;

export const TurnStatus = z.enum(['running', 'waiting', 'done', 'failed', 'interrupted']);
export type TurnStatus = z.infer<typeof TurnStatus>;

export const ItemKind = z.enum([
  'user_message',
  'agent_message',
  'thought',
  'tool_call',
  'approval',
  'question',
  'notice',
  'child',
]);
export type ItemKind = z.infer<typeof ItemKind>;

export const ItemStatus = z.enum([
  'queued',
  'streaming',
  'running',
  'pending',
  'done',
  'failed',
  'cancelled',
  'unknown',
  'stale',
  'removed',
]);
export type ItemStatus = z.infer<typeof ItemStatus>;

/** full: no limits · workspace: files only inside the working directory, commands ask · ask: every change asks · read_only: no change at all */
export const AccessMode = z.enum(['full', 'workspace', 'ask', 'read_only']);
export type AccessMode = z.infer<typeof AccessMode>;

export const Decision = z.enum(['accept', 'accept_for_session', 'decline', 'cancel']);
export type Decision = z.infer<typeof Decision>;

/** Why a turn or a provider call ended badly. Typed, so that every client can offer the right next step. */
export const Cause = z.enum([
  'auth',
  'permission',
  'billing',
  'quota',
  'rate_limit',
  'overloaded',
  'server',
  'overflow',
  'refused',
  'invalid_request',
  'not_found',
  'cut',
  'garbage',
  'network',
  'timeout',
  'aborted',
  'max_output',
  'max_steps',
  'crash',
  'store',
  'internal',
]);
export type Cause = z.infer<typeof Cause>;
