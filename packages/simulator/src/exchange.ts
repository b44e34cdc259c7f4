import type { ServerResponse } from 'node:http';
import type { Json } from '@maestro/protocol';
import { type AnswerContext, answerIds, type Writer } from './answer.ts';
import type { Prompt } from './conversation.ts';
import { play } from './player.ts';
import type { PromptCache } from './prompt-cache.ts';
import { pump } from './pump.ts';
import { now, type RequestLog, type SeenRequest } from './request-log.ts';
import type { ResponseStore } from './response-store.ts';
import type { LoginWireId, Target } from './routes.ts';
import type { Failure, Scenario } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';
import type { Script } from './script.ts';
import type { HttpAnswer, Wire, World } from './wires/wire.ts';

/** What an exchange needs of the simulator. */
export interface Desk {
  readonly seed: number;
  readonly log: RequestLog;
  readonly script: Script;
  readonly cache: PromptCache;
  readonly scheduler: Scheduler;
  readonly stored: ResponseStore;
  readonly world: World;
  /** The wires as they are served to logins. */
  readonly logins: Readonly<Record<LoginWireId, Wire>>;
  /** Defaults of every scenario. */
  readonly pace: { readonly tokens_per_second: number; readonly tokens_per_chunk: number };
  /** Header values that are refused with a 400 that names them. */
  readonly refuse_betas: ReadonlySet<string>;
}

/** The answer to one request: keeps its entry of the log up to date. */
export class Exchange {
  readonly #desk: Desk;
  readonly #wire: Wire;
  readonly #target: Target;
  readonly #response: ServerResponse;
  readonly #seen: SeenRequest;
  #stop: () => void = () => undefined;

  constructor(desk: Desk, wire: Wire, target: Target, response: ServerResponse, seen: SeenRequest) {
    this.#desk = desk;
    this.#wire = wire;
    this.#target = target;
    this.#response = response;
    this.#seen = seen;
    response.once('close', () => {
      this.#stop();
      if (!response.writableFinished) this.#end('aborted');
    });
    response.once('finish', () => this.#end('complete'));
  }

  fail(failure: Failure): void {
    const context = {
      model: this.#seen.model ?? '',
      compatible: this.#target.compatible,
      request_id: this.#seen.request_id,
    };
    this.#send(this.#wire.failure(failure, context));
  }

  json(value: Json): void {
    const headers = { 'content-type': 'application/json', ...this.#headers() };
    this.#send({ status: 200, headers, body: JSON.stringify(value) });
  }

  scenario(prompt: Prompt, scenario: Scenario): void {
    const play = () => this.#play(prompt, scenario);
    if (!scenario.first_byte_ms) play();
    else this.#stop = this.#desk.scheduler.at(performance.now() + scenario.first_byte_ms, play);
  }

  #play(prompt: Prompt, scenario: Scenario): void {
    if (scenario.reset) {
      this.#end('reset');
      this.#response.socket?.destroy();
    } else if (scenario.http) this.#send(scenario.http);
    else if (scenario.failure) this.fail(scenario.failure);
    else this.#answer(prompt, scenario);
  }

  #answer(prompt: Prompt, scenario: Scenario): void {
    const context: AnswerContext = {
      prompt,
      tokens: this.#desk.cache.measure(prompt),
      quirks: new Set(scenario.quirks ?? []),
      created: Math.floor(this.#seen.arrived_at / 1000),
      id: answerIds(this.#desk.seed, this.#seen.number, this.#seen.body.toString('latin1')),
      calls: scenario.steps.some(({ type }) => type === 'tool_calls'),
      thoughtful: false,
    };
    const writer = this.#wire.writer(context);
    const { tokens_per_second, tokens_per_chunk } = this.#desk.pace;
    const paced = { tokens_per_second, tokens_per_chunk, ...scenario };
    if (prompt.delivery === 'json') this.#whole(prompt, paced, writer, context);
    else this.#stream(paced, writer, context);
  }

  #stream(scenario: Scenario, writer: Writer, context: AnswerContext): void {
    this.#head(writer.content_type, scenario);
    this.#stop = pump(this.#response, play(scenario, writer, context), scenario, this.#desk.scheduler, {
      chunk: () => this.#chunk(),
      stalled: () => this.#end('stalled'),
      ended: (how) => {
        if (how === 'complete') this.#desk.stored.keep(this.#seen.json, context, writer);
        this.#end(how);
      },
    });
  }

  /** The answer in one piece, after the time its stream would have taken. */
  #whole(prompt: Prompt, scenario: Scenario, writer: Writer, context: AnswerContext): void {
    let tokens = 0;
    let wait = scenario.first_token_ms ?? 0;
    let last = '';
    for (const emission of play(scenario, writer, context)) {
      last = emission.type;
      if (emission.type === 'write') tokens += emission.tokens;
      else if (emission.type === 'wait') wait += emission.ms;
    }
    const failed = scenario.steps.find((step) => step.type === 'error');
    if (failed) this.fail(failed.failure);
    else if (last === 'stall') this.#end('stalled');
    else if (last === 'cut') this.#play(prompt, { ...scenario, reset: true });
    else this.#later(wait, tokens, scenario, writer, context);
  }

  #later(ms: number, tokens: number, scenario: Scenario, writer: Writer, context: AnswerContext): void {
    let wait = ms;
    if (scenario.tokens_per_second) wait += (tokens / scenario.tokens_per_second) * 1000;
    this.#stop = this.#desk.scheduler.at(performance.now() + wait, () => {
      this.#desk.stored.keep(this.#seen.json, context, writer);
      const headers = { 'content-type': 'application/json', ...this.#headers() };
      this.#send({ status: 200, headers, body: JSON.stringify(writer.whole()) });
    });
  }

  #head(content_type: string, scenario: Scenario): void {
    const encoding = scenario.encoding ? { 'content-encoding': scenario.encoding } : {};
    this.#response.writeHead(200, {
      'content-type': content_type,
      'cache-control': 'no-cache',
      ...this.#headers(),
      ...encoding,
    });
    this.#response.flushHeaders();
    this.#seen.status = 200;
    this.#desk.log.changed(this.#seen);
  }

  #headers(): Record<string, string> {
    return this.#wire.headers(this.#seen.request_id, this.#seen.number);
  }

  #send({ status, headers, body }: HttpAnswer): void {
    this.#seen.status = status;
    this.#response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    this.#chunk();
    this.#response.end(body);
  }

  #chunk(): void {
    this.#seen.first_chunk_at ??= now();
    this.#seen.chunks += 1;
    this.#desk.log.changed(this.#seen);
  }

  #end(how: SeenRequest['ending']): void {
    if (this.#seen.ending !== 'open' && this.#seen.ending !== 'stalled') return;
    this.#seen.ending = how;
    this.#seen.ended_at = now();
    this.#desk.log.changed(this.#seen);
  }
}
