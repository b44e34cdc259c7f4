import { z } from 'zod';
import type { AnswerContext, Block, OutputTokens, Sent, Writer } from '../answer.ts';
import type { Access } from '../logins/access.ts';
import { UNAUTHENTICATED } from '../logins/google.ts';
import type { Family } from '../logins/grants.ts';
import type { Failure, Stop } from '../scenario.ts';
import { gemini } from './gemini.ts';
import { failureOf } from './gemini-errors.ts';
import { GeminiWriter } from './gemini-writer.ts';
import { flawOf } from './shape.ts';
import {
  type FailureContext,
  type HttpAnswer,
  type Incoming,
  invalid,
  type Reading,
  refuse,
  type Wire,
} from './wire.ts';

/** What Code Assist wraps a Gemini request in; in this order. */
const ORDER = ['model', 'project', 'user_prompt_id', 'request', 'enabled_credit_types'];
const Wrapper = z.strictObject({
  model: z.string().min(1),
  project: z.string().min(1),
  user_prompt_id: z.string().min(1),
  request: z.record(z.string(), z.json()),
  enabled_credit_types: z.array(z.string()).optional(),
});

export interface CodeAssistLogin {
  access(headers: ReadonlyMap<string, string>): Access;
  /** The project that calls of a login name; undefined: it was never onboarded. */
  project(family: Family): string | undefined;
}

/** Gemini as Google's Code Assist serves it to a login. */
export const codeAssist = (login: CodeAssistLogin): Wire => ({
  ...gemini,
  authorize: (headers) => {
    if (headers.has('x-goog-api-key'))
      return { kind: 'auth', message: 'API keys are not supported by this API.' };
    return typeof login.access(headers) === 'string' ? { kind: 'auth' } : undefined;
  },
  read: (incoming) => read(login, incoming),
  failure,
  headers: () => ({ server: 'ESF', vary: 'Origin, X-Origin, Referer' }),
  writer: (context) => new WrappedWriter(context),
});

const read = (login: CodeAssistLogin, incoming: Incoming): Reading => {
  const parsed = Wrapper.safeParse(incoming.body);
  if (!parsed.success) {
    const { path, kind, detail } = flawOf(parsed.error);
    return refuse(invalid(`Invalid value at '${path.join('.')}': ${kind} ${detail}`));
  }
  const names = Object.keys(parsed.data);
  const order = ORDER.filter((name) => names.includes(name));
  if (Object.keys(incoming.body ?? {}).join() !== order.join())
    return refuse(invalid(`The fields must be in the order ${order.join(', ')}.`));
  const access = login.access(incoming.headers);
  const { model, project, request } = parsed.data;
  if (typeof access === 'string' || login.project(access) !== project)
    return refuse({
      kind: 'permission',
      message: `Permission 'cloudaicompanion.companions.generateChat' denied on resource '//cloudresourcemanager.googleapis.com/projects/${project}' (or it may not exist).`,
    });
  const { session_id, ...body } = request;
  if (session_id !== undefined && typeof session_id !== 'string')
    return refuse(invalid("Invalid value at 'request.session_id': expected a string"));
  return gemini.read({ ...incoming, model, body });
};

const failure = (refused: Failure, context: FailureContext): HttpAnswer => {
  if (refused.kind !== 'auth') return failureOf(refused, context);
  const message = refused.message ?? UNAUTHENTICATED;
  const error = { code: 401, message, status: 'UNAUTHENTICATED' };
  return {
    status: 401,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ error }, null, 2),
  };
};

/** Each frame in Code Assist's own; errors and garbage go as they are. */
class WrappedWriter implements Writer {
  readonly content_type: string;
  readonly call_prefix: string;
  readonly #inner: GeminiWriter;
  readonly #trace: string;

  constructor(context: AnswerContext) {
    this.#inner = new GeminiWriter(context);
    this.content_type = this.#inner.content_type;
    this.call_prefix = this.#inner.call_prefix;
    this.#trace = context.id('trace');
  }

  start(): string {
    return this.#wrapped(this.#inner.start());
  }
  open(): string {
    return this.#wrapped(this.#inner.open());
  }
  delta(block: Block, piece: string): string {
    return this.#wrapped(this.#inner.delta(block, piece));
  }
  close(block: Block): string {
    return this.#wrapped(this.#inner.close(block));
  }
  finish(stop: Stop, output: OutputTokens): string {
    return this.#wrapped(this.#inner.finish(stop, output));
  }
  error(refused: Failure): string {
    return this.#inner.error(refused);
  }
  garbage(text: string): string {
    return this.#inner.garbage(text);
  }
  whole(): Sent {
    return { response: this.#inner.whole(), traceId: this.#trace };
  }

  #wrapped(frames: string): string {
    return frames.replace(
      /^data: (.*)$/gm,
      (_, response: string) => `data: {"response":${response},"traceId":"${this.#trace}"}`,
    );
  }
}
