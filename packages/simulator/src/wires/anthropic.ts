import { findModel } from '../models.ts';
import type { Failure } from '../scenario.ts';
import { bodyProblem, VERSIONS } from './anthropic-check.ts';
import { failureOf } from './anthropic-errors.ts';
import { promptOf } from './anthropic-read.ts';
import { CountBody, MessagesBody } from './anthropic-shape.ts';
import { AnthropicWriter } from './anthropic-writer.ts';
import { dotted, type Flaw, flawOf } from './shape.ts';
import { bearer, type Incoming, invalid, isWrongKey, type Reading, refuse, type Wire } from './wire.ts';

export const anthropic: Wire = {
  id: 'anthropic',
  authorize: (headers) => {
    const key = headers.get('x-api-key') ?? bearer(headers);
    if (!key) return { kind: 'auth', message: 'x-api-key header is required' };
    if (!isWrongKey(key)) return undefined;
    return { kind: 'auth', message: headers.has('x-api-key') ? 'invalid x-api-key' : 'Invalid bearer token' };
  },
  read: (incoming) => read(incoming, incoming.verb === 'count_tokens'),
  failure: failureOf,
  headers: (request_id, number) => ({
    'request-id': request_id,
    'anthropic-organization-id': 'simulated',
    ...limits('requests', 4000, number),
    ...limits('tokens', 4_000_000, number * 1000),
    ...limits('input-tokens', 2_000_000, number * 800),
    ...limits('output-tokens', 2_000_000, number * 200),
  }),
  writer: (context) => new AnthropicWriter(context),
};

/** What of `limit` is left when `used` was used; never below half, so that nobody has to wait. */
const limits = (what: string, limit: number, used: number): Record<string, string> => ({
  [`anthropic-ratelimit-${what}-limit`]: String(limit),
  [`anthropic-ratelimit-${what}-remaining`]: String(limit - (used % (limit / 2))),
  [`anthropic-ratelimit-${what}-reset`]: `${new Date(Date.now() + 60_000).toISOString().slice(0, 19)}Z`,
});

const read = ({ headers, body, world }: Incoming, counting: boolean): Reading => {
  const version = headers.get('anthropic-version');
  if (version === undefined) return refuse(invalid('anthropic-version: header is required'));
  if (!VERSIONS.includes(version))
    return refuse(invalid(`anthropic-version: "${version}" is not a valid version`));
  const counted = counting ? CountBody.safeParse(body) : undefined;
  if (counted && !counted.success) return refuse(invalid(words(flawOf(counted.error))));
  const whole = MessagesBody.safeParse(
    counted ? { ...counted.data, max_tokens: Number.MAX_SAFE_INTEGER } : body,
  );
  if (!whole.success) return refuse(invalid(words(flawOf(whole.error))));
  const model = findModel('anthropic', whole.data.model);
  if (!model) return refuse({ kind: 'not_found', message: `model: ${whole.data.model}` });
  if (!counting && whole.data.max_tokens > model.max_output)
    return refuse(
      invalid(
        `max_tokens: ${whole.data.max_tokens} > ${model.max_output}, which is the maximum allowed number of output tokens for ${model.id}`,
      ),
    );
  const problem = bodyProblem(whole.data, version);
  if (problem !== undefined) return refuse(invalid(problem));
  const prompt = promptOf(whole.data);
  const tokens = prompt.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const context = world.context(model);
  if (tokens > context) return refuse(overflow(tokens, context));
  return { ok: true, prompt };
};

const overflow = (tokens: number, maximum: number): Failure => ({
  kind: 'overflow',
  message: `prompt is too long: ${tokens} tokens > ${maximum} maximum`,
});

const words = ({ path, kind, detail }: Flaw): string => {
  const at = dotted(path);
  if (kind === 'missing') return `${at}: Field required`;
  if (kind === 'unknown') return `${at}: Extra inputs are not permitted`;
  if (kind === 'type') return `${at}: Input should be a valid ${detail === 'record' ? 'dictionary' : detail}`;
  return `${at}: ${detail}`;
};
