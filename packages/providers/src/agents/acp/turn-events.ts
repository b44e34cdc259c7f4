import type { AgentEvent, AgentQuestion, Native } from '@maestro/ports';
import {
  type CallFacts,
  inputOf,
  learn,
  newFacts,
  pathsOf,
  pieceOf,
  resultOf,
  riskOf,
  shownText,
  textOf,
} from './call-words.ts';
import { optionOf } from './choices.ts';
import { type Block, type CallUpdate, type Counts, Update } from './shapes.ts';

interface Call {
  readonly id: string;
  readonly block: number;
  readonly facts: CallFacts;
  state: 'told' | 'running' | 'over';
  /** What of its output was passed on. */
  shown: string;
}

interface Growing {
  readonly block: number;
  readonly kind: 'text' | 'thought';
  readonly message: string | undefined;
}

export interface TurnEventsOptions {
  readonly agent_name: string;
  readonly emit: (event: AgentEvent) => void;
  /** Names the agent's conversation, for each message. */
  readonly native: () => Native;
  /** What the agent says that the conversation has cost so far, in dollars. */
  readonly cost: (usd: number) => void;
  /** What one call of its model took, where it tells each. */
  readonly used: (counts: Counts) => void;
  /** The agent works in another of its modes from now on. */
  readonly mode: (id: string) => void;
  /** A tool of the agent begins to run, or no longer runs: silence is no fault meanwhile. */
  readonly running: (is: boolean) => void;
}

/** gemini-cli tells whole thoughts, each with a heading. */
const heading = /^\*\*[^\n]*\*\*\n/;

/** Turns what an agent tells of one turn into events: blocks, messages, tool runs. */
export class TurnEvents {
  readonly #options: TurnEventsOptions;
  readonly #calls = new Map<string, Call>();
  #blocks = 0;
  #growing: Growing | undefined;
  /** Calls told since the last message, whose blocks are still open. */
  #told: Call[] = [];
  #unsaid = false;
  #plan = '';

  constructor(options: TurnEventsOptions) {
    this.#options = options;
  }

  /** Its model has answered something. */
  get said(): boolean {
    return this.#blocks > 0;
  }

  update(raw: unknown): void {
    const read = Update.safeParse(raw);
    // An update that a newer agent knows and this client does not changes nothing.
    if (read.success) this.#take(read.data);
  }

  #take(update: Update): void {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        if (update._meta?.usage) this.#options.used(update._meta.usage);
        this.#chunk('text', update.content, update.messageId);
        return;
      case 'agent_thought_chunk':
        this.#chunk('thought', update.content, update.messageId);
        return;
      case 'tool_call':
      case 'tool_call_update':
        this.#call(update);
        return;
      case 'plan':
        this.#planned(update.entries);
        return;
      case 'current_mode_update':
        this.#options.mode(update.currentModeId);
        this.#notice(
          'mode',
          'info',
          `${this.#options.agent_name} works in its mode "${update.currentModeId}" now.`,
        );
        return;
      case 'config_option_update': {
        const mode = optionOf(update.configOptions, 'mode')?.currentValue;
        if (mode !== undefined) this.#options.mode(mode);
        return;
      }
      case 'usage_update':
        if (update.cost?.currency === 'USD') this.#options.cost(update.cost.amount);
        return;
      case 'notice': {
        const level = update.severity === 'info' ? 'info' : 'warning';
        this.#notice('agent_notice', level, [update.title, update.description].filter(Boolean).join(': '));
        return;
      }
      case 'compaction_update':
        if (update.status === 'completed')
          this.#notice('compaction', 'info', `${this.#options.agent_name} has shortened its conversation.`);
        if (update.status === 'failed')
          this.#notice(
            'compaction',
            'warning',
            `${this.#options.agent_name} could not shorten its conversation${update.error ? `: ${update.error}` : ''}.`,
          );
        return;
    }
  }

  /** What a permission request asks. The call has then been told. */
  question(update: CallUpdate): AgentQuestion {
    this.#call({ ...update, status: undefined });
    this.#message();
    return this.#asked(update.toolCallId);
  }

  /** A call that was asked about runs from now on; not every agent says so. */
  allowed(id: string): void {
    const call = this.#calls.get(id);
    if (call) this.#run(call);
  }

  /** The question of a file that the agent wants this client to read or write: that of the call which names it, else one of its own. */
  fileQuestion(path: string, risk: 'read' | 'write'): AgentQuestion {
    this.#message();
    const call = [...this.#calls.values()].find(
      ({ facts, state }) => state !== 'over' && pathsOf(facts).includes(path),
    );
    const title = `${risk === 'read' ? 'Read' : 'Write'} ${path}`;
    if (call) return { ...this.#asked(call.id), risk, title, paths: [path] };
    return {
      call_id: `${risk}:${path}`,
      tool: risk === 'read' ? 'read' : 'edit',
      input: { path },
      title,
      risk,
      paths: [path],
    };
  }

  /** The turn is over: what is open is closed. Of a broken turn the answer that grew stays broken. */
  close(how: 'ended' | 'stopped' | 'broken'): void {
    if (how !== 'broken') this.#message();
    const { agent_name } = this.#options;
    for (const call of this.#calls.values()) {
      if (call.state === 'over' || (how === 'broken' && call.state === 'told')) continue;
      this.#run(call);
      const said =
        how === 'stopped'
          ? 'Stopped before it had ended.'
          : `${agent_name} ended and did not say how this went.`;
      this.#end(call, how === 'stopped' ? 'cancelled' : 'failed', {
        content: [{ type: 'text', text: said }],
      });
    }
  }

  #chunk(kind: 'text' | 'thought', content: Block, message: string | undefined): void {
    const text = textOf(content);
    if (text === '') return;
    if (this.#growing && message !== undefined && this.#growing.message !== message) this.#message();
    const before = this.#growing?.kind === kind ? this.#growing : undefined;
    const growing = before ?? this.#newText(kind, message);
    this.#unsaid = true;
    const apart = before && kind === 'thought' && heading.test(text);
    this.#options.emit({ type: 'delta', block: growing.block, text: apart ? `\n\n${text}` : text });
  }

  #newText(kind: 'text' | 'thought', message: string | undefined): Growing {
    this.#endText();
    const growing = { block: this.#blocks++, kind, message };
    this.#growing = growing;
    this.#options.emit({ type: 'block_start', block: growing.block, kind });
    return growing;
  }

  #call(update: CallUpdate): void {
    const call = this.#calls.get(update.toolCallId) ?? this.#newCall(update);
    if (call.state === 'over') return;
    learn(call.facts, update);
    if (update.status === 'in_progress') this.#run(call);
    if (call.state === 'running') this.#output(call, pieceOf(update));
    if (update.status !== 'completed' && update.status !== 'failed') return;
    this.#run(call);
    this.#end(call, update.status === 'completed' ? 'done' : 'failed', resultOf(call.facts));
  }

  #end(call: Call, status: 'done' | 'failed' | 'cancelled', result: ReturnType<typeof resultOf>): void {
    call.state = 'over';
    this.#options.running(false);
    const { title } = call.facts;
    this.#options.emit({
      type: 'tool_end',
      call_id: call.id,
      status,
      ...result,
      ...(title === '' ? {} : { title }),
    });
  }

  #newCall(update: CallUpdate): Call {
    this.#endText();
    const facts = newFacts();
    learn(facts, update);
    const call: Call = { id: update.toolCallId, block: this.#blocks++, facts, state: 'told', shown: '' };
    this.#calls.set(call.id, call);
    this.#told.push(call);
    this.#unsaid = true;
    this.#options.emit({
      type: 'block_start',
      block: call.block,
      kind: 'tool_call',
      call_id: call.id,
      name: facts.name,
    });
    return call;
  }

  #run(call: Call): void {
    if (call.state !== 'told') return;
    this.#message();
    call.state = 'running';
    this.#options.running(true);
    const { title } = call.facts;
    this.#options.emit({ type: 'tool_start', call_id: call.id, ...(title === '' ? {} : { title }) });
  }

  /** `content` of an update holds all of the output so far, and only what is new of it is passed on; a piece is new. */
  #output(call: Call, piece: string): void {
    if (piece !== '') this.#options.emit({ type: 'tool_output', call_id: call.id, text: piece });
    const text = shownText(call.facts.content);
    if (text.length > call.shown.length && text.startsWith(call.shown))
      this.#options.emit({ type: 'tool_output', call_id: call.id, text: text.slice(call.shown.length) });
    call.shown = text;
  }

  #asked(id: string): AgentQuestion {
    const call = this.#calls.get(id);
    const facts = call?.facts ?? newFacts();
    return {
      call_id: id,
      tool: facts.name,
      input: inputOf(facts),
      title: facts.title === '' ? facts.name : facts.title,
      risk: riskOf(facts.kind),
      paths: pathsOf(facts),
    };
  }

  /** Completes the answer since the last message. The protocol has no word for it: it ends where a tool begins. */
  #message(): void {
    if (!this.#unsaid) return;
    this.#endText();
    for (const call of this.#told)
      this.#options.emit({ type: 'block_end', block: call.block, input: inputOf(call.facts) });
    this.#told = [];
    this.#unsaid = false;
    this.#options.emit({
      type: 'message',
      native: this.#options.native(),
      usage: null,
      stop_raw: null,
      response: null,
    });
  }

  #endText(): void {
    if (this.#growing) this.#options.emit({ type: 'block_end', block: this.#growing.block });
    this.#growing = undefined;
  }

  #planned(entries: readonly { content: string; status: string }[]): void {
    const marks: Readonly<Record<string, string>> = { completed: '✓', in_progress: '▸' };
    const plan = entries.map(({ content, status }) => `${marks[status] ?? '○'} ${content}`).join('\n');
    if (plan === '' || plan === this.#plan) return;
    this.#plan = plan;
    this.#notice('plan', 'info', `Plan of ${this.#options.agent_name}:\n${plan}`);
  }

  #notice(code: string, level: 'info' | 'warning', text: string): void {
    this.#options.emit({ type: 'notice', code, level, text });
  }
}
