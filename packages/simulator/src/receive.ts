import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Json } from '@maestro/protocol';
import { isRecord, lastUserText, type Prompt } from './conversation.ts';
import { type Desk, Exchange } from './exchange.ts';
import { modelList, showModel } from './listings.ts';
import { now, type SeenRequest } from './request-log.ts';
import type { Target } from './routes.ts';
import type { Failure } from './scenario.ts';
import { digest } from './signature.ts';
import { WIRES } from './wires/all.ts';
import { invalid, type Wire } from './wires/wire.ts';

/** Answers one request, from its whole body to the end of the response. */
export const answerRequest = (
  desk: Desk,
  incoming: IncomingMessage,
  response: ServerResponse,
  target: Target,
  headers: ReadonlyMap<string, string>,
  body: Buffer,
): void => {
  const number = desk.log.next();
  const request_id = `req_${digest(String(desk.seed), 'request', String(number)).slice(0, 24)}`;
  const wire = target.login ? desk.logins[target.login] : WIRES[target.wire];
  const json = parsed(body);
  const reading =
    refusal(desk, wire, target, headers, json, body) ?? readPrompt(desk, wire, target, headers, json);
  const prompt = reading && 'prompt' in reading ? reading.prompt : undefined;
  const failure = reading && 'failure' in reading ? reading.failure : undefined;
  const model = target.model ?? (isRecord(json) && typeof json['model'] === 'string' ? json['model'] : null);
  const seen: SeenRequest = {
    number,
    request_id,
    wire: target.wire,
    kind: target.kind,
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    raw_headers: pairs(incoming.rawHeaders),
    body,
    json: json ?? null,
    model,
    user_text: prompt ? lastUserText(prompt.turns) : '',
    arrived_at: now(),
    status: null,
    refused: failure?.message ?? failure?.kind ?? null,
    first_chunk_at: null,
    chunks: 0,
    ending: 'open',
    ended_at: null,
  };
  const exchange = new Exchange(desk, wire, target, response, seen);
  desk.log.add(seen);
  if (failure) exchange.fail(failure);
  else if (prompt && target.kind === 'answer') exchange.scenario(prompt, desk.script.choose(prompt));
  else {
    const fact = prompt ? countOf(prompt) : factOf(target, model ?? '');
    if (fact === undefined) exchange.fail({ kind: 'not_found' });
    else exchange.json(fact);
  }
};

/** What needs no model; undefined: there is none of that name. */
const factOf = ({ kind, wire }: Target, model: string): Json | undefined => {
  if (kind === 'version') return { version: '0.13.0' };
  return kind === 'models' ? modelList(wire) : showModel(model);
};

/** Refused before the body is looked at. */
const refusal = (
  desk: Desk,
  wire: Wire,
  target: Target,
  headers: ReadonlyMap<string, string>,
  json: Json | undefined,
  body: Buffer,
): { failure: Failure } | undefined => {
  const denied = wire.authorize(headers, target.compatible);
  if (denied) return { failure: denied };
  const beta = betaProblem(desk, headers);
  if (beta) return { failure: beta };
  if (body.length > 32 * 1024 * 1024) return { failure: { kind: 'too_large' } };
  const posts = target.kind === 'answer' || target.kind === 'count' || target.kind === 'show';
  if (!posts) return undefined;
  const type = headers.get('content-type') ?? '';
  if (target.wire !== 'ollama' && !/^application\/json\b/i.test(type))
    return { failure: invalid(`content-type: expected application/json, got '${type}'`) };
  if (json === undefined) return { failure: invalid('The request body is not valid JSON.') };
  return undefined;
};

const betaProblem = (desk: Desk, headers: ReadonlyMap<string, string>): Failure | undefined => {
  for (const name of ['anthropic-beta', 'openai-beta']) {
    const values = (headers.get(name) ?? '').split(',').map((value) => value.trim());
    const refused = values.find((value) => desk.refuse_betas.has(value));
    if (refused === undefined) continue;
    const message =
      name === 'anthropic-beta'
        ? `Unexpected value(s) \`${refused}\` for the \`anthropic-beta\` header. Please consult our documentation or try again without the header.`
        : `Invalid value for header 'OpenAI-Beta': '${refused}'.`;
    return { kind: 'beta_header', message };
  }
  return undefined;
};

const readPrompt = (
  desk: Desk,
  wire: Wire,
  target: Target,
  headers: ReadonlyMap<string, string>,
  json: Json | undefined,
): { prompt: Prompt } | { failure: Failure } | undefined => {
  if (target.kind !== 'answer' && target.kind !== 'count') return undefined;
  const { model, verb, sse, compatible } = target;
  const reading = wire.read({ headers, body: json ?? null, model, verb, sse, compatible, world: desk.world });
  return reading.ok ? { prompt: reading.prompt } : { failure: reading.failure };
};

const countOf = (prompt: Prompt): Json => {
  const tokens = prompt.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  return prompt.wire === 'gemini' ? { totalTokens: tokens } : { input_tokens: tokens };
};

const parsed = (body: Buffer): Json | undefined => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

const pairs = (raw: readonly string[]): (readonly [string, string])[] =>
  Array.from(
    { length: raw.length / 2 },
    (_, index) => [raw[index * 2] ?? '', raw[index * 2 + 1] ?? ''] as const,
  );
