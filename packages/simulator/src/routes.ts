import type { WireId } from './conversation.ts';
import type { RequestKind } from './request-log.ts';

/** A wire as it is served to a login in place of a key. */
export type LoginWireId = 'anthropic_login' | 'chatgpt' | 'code_assist';

/** Where a request goes. */
export interface Target {
  readonly wire: WireId;
  /** Set where a login is answered, not a key. */
  readonly login?: LoginWireId;
  readonly kind: RequestKind;
  readonly compatible: boolean;
  /** Gemini and Anthropic: what is asked of the path (`streamGenerateContent`, `count_tokens`). */
  readonly verb?: string;
  readonly model?: string;
  readonly sse: boolean;
}

const COMPATIBLE = '/compatible/v1';

/** undefined: none of the vendors has it. Paths that two vendors share are told apart by their headers. */
export const targetOf = (
  method: string,
  url: string,
  headers: ReadonlyMap<string, string>,
): Target | undefined => {
  const [path = '', query = ''] = url.split('?');
  const plain = { compatible: false, sse: false };
  if (path.startsWith(COMPATIBLE)) {
    const copy = { wire: 'openai_chat', compatible: true, sse: false } as const;
    const rest = path.slice(COMPATIBLE.length);
    if (method === 'POST' && rest === '/chat/completions') return { ...copy, kind: 'answer' };
    return method === 'GET' && rest === '/models' ? { ...copy, kind: 'models' } : undefined;
  }
  if (method === 'POST') return withLogin(posted(path, query), headers);
  if (method !== 'GET') return undefined;
  if (path === '/api/tags') return { ...plain, wire: 'ollama', kind: 'models' };
  if (path === '/api/version') return { ...plain, wire: 'ollama', kind: 'version' };
  const google = headers.has('x-goog-api-key');
  if (path === '/v1beta/models' || (path === '/v1/models' && google))
    return { ...plain, wire: 'gemini', kind: 'models' };
  if (path !== '/v1/models') return undefined;
  const anthropic = headers.has('anthropic-version') || headers.has('x-api-key');
  return withLogin({ ...plain, wire: anthropic ? 'anthropic' : 'openai_responses', kind: 'models' }, headers);
};

/** Anthropic tells a subscription's token from a key by how it begins. */
const withLogin = (target: Target | undefined, headers: ReadonlyMap<string, string>): Target | undefined =>
  target?.wire === 'anthropic' && /^Bearer sk-ant-oat/.test(headers.get('authorization') ?? '')
    ? { ...target, login: 'anthropic_login' }
    : target;

const posted = (path: string, query: string): Target | undefined => {
  const plain = { compatible: false, sse: false };
  if (path === '/v1/messages') return { ...plain, wire: 'anthropic', kind: 'answer' };
  if (path === '/v1/messages/count_tokens')
    return { ...plain, wire: 'anthropic', kind: 'count', verb: 'count_tokens' };
  if (path === '/v1/responses') return { ...plain, wire: 'openai_responses', kind: 'answer' };
  if (path === '/v1/chat/completions') return { ...plain, wire: 'openai_chat', kind: 'answer' };
  if (path === '/api/chat') return { ...plain, wire: 'ollama', kind: 'answer' };
  if (path === '/api/show') return { ...plain, wire: 'ollama', kind: 'show' };
  if (path === '/backend-api/codex/responses')
    return { ...plain, wire: 'openai_responses', login: 'chatgpt', kind: 'answer' };
  const inner = /^\/v1internal:(streamGenerateContent|generateContent)$/.exec(path)?.[1];
  const sse = new URLSearchParams(query).get('alt') === 'sse';
  if (inner !== undefined)
    return { ...plain, wire: 'gemini', login: 'code_assist', kind: 'answer', verb: inner, sse };
  const [, model, verb] =
    /^\/v1(?:beta)?\/models\/([^/:]+):(streamGenerateContent|generateContent|countTokens)$/.exec(path) ?? [];
  if (model === undefined || verb === undefined) return undefined;
  const kind = verb === 'countTokens' ? 'count' : 'answer';
  return { wire: 'gemini', kind, compatible: false, verb, model: decodeURIComponent(model), sse };
};
