import type { Log } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { type Fields, fields, isObject, list, parseJson } from '../../vendors/shared/json.ts';
import { type Program, startProgram } from '../process/program.ts';

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Added to its own system prompt. */
  readonly system: string;
  /** Told when it has read what it was started with, or is gone. */
  readonly started: () => void;
  readonly log: Log;
}

/** Who listens to a process while a turn runs. */
export interface Listener {
  line(message: Fields): void;
  /** Not a line of its language, or longer than any: it is dropped. */
  garbage(): void;
}

/** Its hook before each tool: it makes Claude Code ask us whatever the person's own settings allow. */
const hook = 'maestro';
/** The person's answer may take long; its hooks have a time limit, in s. */
const hook_timeout_s = 86_400;

/** One process of Claude Code and its language of lines: one JSON object a line, both ways. */
export class Connection {
  /** Settles with how it ended. */
  readonly ended: Promise<string>;
  readonly #program: Program;
  readonly #log: Log;
  readonly #told = new Set<string>();
  #started: (() => void) | undefined;
  #listener: Listener | undefined;
  #asked = 0;
  #over = false;

  constructor({ program, args, cwd, env, system, started, log }: Launch) {
    this.#log = log;
    this.#started = started;
    this.#program = startProgram({
      program,
      args,
      cwd,
      env,
      onLine: (line) => this.#line(line),
      onTooLong: (characters) => {
        log.warn('a line of Claude Code was too long', { characters });
        this.#listener?.garbage();
      },
    });
    this.ended = this.#program.ended.then((how) => {
      this.#over = true;
      this.#hasStarted();
      return how;
    });
    this.#ask({ subtype: 'initialize', hooks: beforeEachTool, appendSystemPrompt: system });
  }

  get over(): boolean {
    return this.#over;
  }

  /** The end of what it wrote to standard error. */
  get lastWords(): string {
    return this.#program.lastWords();
  }

  /** The MCP servers that it could not start, by what it says at the beginning of a turn; each is named once. */
  newlyFailed(init: Fields): string[] {
    const failed = list(init['mcp_servers']).flatMap((each) => {
      const { name, status } = fields(each);
      return status === 'failed' && typeof name === 'string' && !this.#told.has(name) ? [name] : [];
    });
    for (const name of failed) this.#told.add(name);
    return failed;
  }

  /** Only while a turn runs; undefined: nobody. */
  listen(listener: Listener | undefined): void {
    this.#listener = listener;
  }

  say(content: readonly Json[]): void {
    this.#send({ type: 'user', message: { role: 'user', content: [...content] } });
  }

  /** It answers with a line of the turn, also before it has begun it. */
  askServers(): void {
    this.#ask({ subtype: 'mcp_status' });
  }

  interrupt(): void {
    this.#ask({ subtype: 'interrupt' });
  }

  allow(request_id: Json, input: Json): void {
    this.#answer(request_id, { behavior: 'allow', updatedInput: input });
  }

  deny(request_id: Json, message: string, interrupt = false): void {
    this.#answer(request_id, { behavior: 'deny', message, ...(interrupt ? { interrupt } : {}) });
  }

  end(how?: 'at_once'): Promise<void> {
    return this.#program.end(how);
  }

  #line(line: string): void {
    const message = parseJson(line);
    if (!isObject(message)) {
      this.#log.warn('a line of Claude Code is not JSON', { line: line.slice(0, 200) });
      this.#listener?.garbage();
      return;
    }
    if (message['type'] === 'system' && message['subtype'] === 'init') this.#hasStarted();
    if (message['type'] === 'control_request') this.#control(message);
    else this.#listener?.line(message);
  }

  #hasStarted(): void {
    this.#started?.();
    this.#started = undefined;
  }

  #control(message: Fields): void {
    const { request_id = null, request = null } = message;
    const subtype = isObject(request) ? request['subtype'] : undefined;
    if (subtype === 'hook_callback')
      this.#answer(request_id, {
        hookSpecificOutput: {
          hookEventName: 'PreToolUse',
          permissionDecision: 'ask',
          permissionDecisionReason: 'The Maestro decides.',
        },
      });
    else if (subtype !== 'can_use_tool') this.#refuse(request_id, `The Maestro does not do ${subtype}.`);
    else if (this.#listener) this.#listener.line(message);
    else this.deny(request_id, 'No turn runs.', true);
  }

  #ask(request: Json): void {
    this.#asked += 1;
    this.#send({ type: 'control_request', request_id: `maestro_${this.#asked}`, request });
  }

  #answer(request_id: Json, response: Json): void {
    this.#send({ type: 'control_response', response: { subtype: 'success', request_id, response } });
  }

  #refuse(request_id: Json, error: string): void {
    this.#send({ type: 'control_response', response: { subtype: 'error', request_id, error } });
  }

  #send(message: Json): void {
    this.#program.write(JSON.stringify(message));
  }
}

const beforeEachTool: Json = { PreToolUse: [{ hookCallbackIds: [hook], timeout: hook_timeout_s }] };
