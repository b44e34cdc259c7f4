import type { AgentEvent, AgentQuestion, Native } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { type Fields, fields, list, text, tokens } from '../../vendors/shared/json.ts';
import { Answer, type Call } from './answer.ts';
import { pathsOf, riskOf, titleOf } from './tool-facts.ts';
import { contentOf, detailsOf } from './tool-result.ts';

/** It asks whether a call may run. */
export interface Asked {
  readonly type: 'asked';
  readonly request_id: Json;
  readonly question: AgentQuestion;
  /** The call is one of the conversation itself, not of a sub-agent. */
  readonly own: boolean;
}

export interface DecoderOptions {
  /** In the order of what it said. A `question` comes after the answer that made the call. */
  readonly emit: (event: AgentEvent | Asked) => void;
  readonly native: (session: string) => Native;
  /** Calls that were refused: their failure is not the tool's. */
  readonly refused: ReadonlySet<string>;
  /** true: the person has stopped the turn. */
  readonly stopped: () => boolean;
}

/** Turns the lines of one turn into events. Deltas are shown, finished blocks complete them; sub-agents show in the call that started them. */
export class Decoder {
  readonly #options: DecoderOptions;
  #answer: Answer | undefined;
  /** What came while an answer was open and belongs after it. */
  #after: (() => void)[] = [];
  #blocks = 0;
  #session = '';
  /** The call that a sub-agent's call belongs to. */
  readonly #parents = new Map<string, string>();
  readonly #own = new Map<string, Call>();
  #said: { error: string | undefined; words: string } | undefined;

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  /** Its name of the conversation; '' until it has said one. */
  get session(): string {
    return this.#session;
  }

  /** The `error` and words of an answer that it made itself, in place of the model. */
  get synthetic(): { error: string | undefined; words: string } | undefined {
    return this.#said;
  }

  line(message: Fields): void {
    const parent = text(message['parent_tool_use_id']);
    switch (message['type']) {
      case 'system':
        this.#system(message);
        return;
      case 'stream_event':
        if (parent === undefined) this.#stream(fields(message['event']));
        if (message['abandoned_blocks'] !== undefined) this.#options.emit(cut);
        return;
      case 'assistant':
        if (parent === undefined) this.#assistant(message);
        else this.#subAgent(parent, message);
        return;
      case 'user':
        if (parent === undefined) this.#user(message);
        return;
      case 'control_request':
        this.#afterAnswer(() => this.#asked(message));
        return;
      // Others are of no interest here, or of a newer version.
    }
  }

  /** The turn is over: what is open ends. */
  end(): void {
    this.#close();
  }

  #system(message: Fields): void {
    this.#session = text(message['session_id']) ?? this.#session;
    const { emit } = this.#options;
    switch (message['subtype']) {
      case 'init':
        emit({ type: 'start', model: text(message['model']) ?? null });
        return;
      case 'api_retry':
        emit(notice('agent_retry', 'warning', retryWords(message)));
        return;
      case 'compact_boundary':
        this.#afterAnswer(() => emit(notice('agent_compacted', 'info', compactedWords(message))));
        return;
    }
  }

  #stream(event: Fields): void {
    if (event['type'] === 'message_start') {
      this.#close();
      this.#answer = this.#begin(fields(event['message']), true);
      return;
    }
    if (event['type'] === 'message_stop') this.#close();
    else this.#answer?.event(event);
  }

  #assistant(message: Fields): void {
    const of = fields(message['message']);
    const error = text(message['error']);
    if (of['model'] === '<synthetic>' || error !== undefined) {
      const words = contentOf(of['content']).flatMap((part) => (part.type === 'text' ? [part.text] : []));
      this.#said = { error, words: words.join('\n') };
      return;
    }
    if (this.#answer?.id !== of['id']) {
      // Nothing of it was streamed.
      this.#close();
      this.#answer = this.#begin(of, false);
    }
    this.#answer?.finished(of['content']);
  }

  #begin(message: Fields, streamed: boolean): Answer {
    const next = (): number => {
      this.#blocks += 1;
      return this.#blocks - 1;
    };
    return new Answer(message, streamed, next, this.#options.emit);
  }

  #close(): void {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer) {
      const calls = answer.close();
      for (const call of calls) this.#own.set(call.id, call);
      if (!answer.empty)
        this.#options.emit({
          type: 'message',
          native: this.#options.native(this.#session),
          usage: answer.usage,
          stop_raw: answer.stop,
          response: null,
        });
    }
    for (const each of this.#after.splice(0)) each();
  }

  /** At once where no answer is streamed; else behind it. */
  #afterAnswer(what: () => void): void {
    if (this.#answer && !this.#answer.streamed) this.#close();
    if (this.#answer) this.#after.push(what);
    else what();
  }

  #asked(message: Fields): void {
    const request = fields(message['request']);
    const tool = text(request['tool_name']) ?? 'unknown';
    const id = text(request['tool_use_id']) ?? '';
    const input = request['input'] ?? {};
    this.#options.emit({
      type: 'asked',
      request_id: message['request_id'] ?? null,
      own: this.#own.has(id),
      question: {
        call_id: this.#parents.get(id) ?? id,
        tool,
        input,
        title: titleOf(tool, input),
        risk: riskOf(tool),
        paths: pathsOf(input),
      },
    });
  }

  #user(message: Fields): void {
    const details = detailsOf(message['tool_use_result']);
    for (const each of list(fields(message['message'])['content'])) {
      const of = fields(each);
      const call_id = text(of['tool_use_id']);
      if (of['type'] !== 'tool_result' || call_id === undefined) continue;
      const { refused, stopped, emit } = this.#options;
      const status =
        of['is_error'] !== true ? 'done' : refused.has(call_id) || stopped() ? 'cancelled' : 'failed';
      this.#afterAnswer(() =>
        emit({
          type: 'tool_end',
          call_id,
          status,
          content: contentOf(of['content']),
          ...(details && status === 'done' ? { details } : {}),
          ...(this.#own.has(call_id) ? { title: this.#titleOf(call_id) } : {}),
        }),
      );
    }
  }

  #titleOf(call_id: string): string {
    const call = this.#own.get(call_id);
    return call ? titleOf(call.name, call.input) : '';
  }

  #subAgent(parent: string, message: Fields): void {
    for (const each of list(fields(message['message'])['content'])) {
      const of = fields(each);
      const id = text(of['id']);
      const name = text(of['name']);
      if (of['type'] !== 'tool_use' || id === undefined || name === undefined) continue;
      const top = this.#parents.get(parent) ?? parent;
      this.#parents.set(id, top);
      const title = titleOf(name, of['input'] ?? {});
      this.#afterAnswer(() => this.#options.emit({ type: 'tool_output', call_id: top, text: `${title}\n` }));
    }
  }
}

const notice = (code: string, level: 'info' | 'warning', words: string): AgentEvent => ({
  type: 'notice',
  code,
  level,
  text: words,
});

/** What was heard stays a part of its conversation. */
const cut = notice(
  'agent_retry',
  'warning',
  "The answer of Claude Code's service was cut off. Claude Code asks it to go on from there.",
);

const retryWords = (message: Fields): string => {
  const seconds = Math.max(1, Math.round((tokens(message['retry_delay_ms']) ?? 0) / 1000));
  const status = tokens(message['error_status']);
  const error = text(message['error']);
  const why = status ?? (error === undefined || error === 'unknown' ? 'the connection failed' : error);
  return `Claude Code's service did not answer (${why}). It tries again in ${seconds} s (attempt ${tokens(message['attempt']) ?? 1} of ${tokens(message['max_retries']) ?? 1}).`;
};

const compactedWords = (message: Fields): string => {
  const before = tokens(fields(message['compact_metadata'])['pre_tokens']);
  return `Claude Code has summarised its conversation${before === undefined ? '' : ` of ${before} tokens`} to make room.`;
};
