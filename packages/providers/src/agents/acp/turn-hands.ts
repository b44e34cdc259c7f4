import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import type { AgentHands, AgentQuestion } from '@maestro/ports';
import type { Decision } from '@maestro/protocol';
import { type Hands, Refusal } from './connection.ts';
import { PermissionParams, ReadParams, WriteParams } from './shapes.ts';
import type { TurnEvents } from './turn-events.ts';

export interface TurnHandsOptions {
  readonly hands: AgentHands;
  readonly events: TurnEvents;
  /** Resolves when the events told so far were dealt with: a question is asked after them. */
  readonly settled: () => Promise<void>;
  readonly heard: () => void;
  /** A person is asked, or has answered: silence is no fault meanwhile. */
  readonly asking: (is: boolean) => void;
  readonly signal: AbortSignal;
}

type Outcome = { outcome: { outcome: 'cancelled' } | { outcome: 'selected'; optionId: string } };
type Options = PermissionParams['options'];

const cancelled: Outcome = { outcome: { outcome: 'cancelled' } };

/** What this side does for an agent in one turn: answers its questions and touches files, both by the session's access mode. */
export class TurnHands implements Hands {
  readonly #options: TurnHandsOptions;
  /** Calls that were allowed: the files that the question named may be written without a second one. */
  readonly #allowed = new Map<string, readonly string[]>();

  /** Why a call of this turn was refused, the last one; undefined: none was. */
  #refused: string | undefined;

  constructor(options: TurnHandsOptions) {
    this.#options = options;
  }

  get refused(): string | undefined {
    return this.#refused;
  }

  heard(): void {
    this.#options.heard();
  }

  update(update: unknown): void {
    if (!this.#options.signal.aborted) this.#options.events.update(update);
  }

  async permission(params: unknown): Promise<Outcome> {
    const { toolCall, options } = PermissionParams.parse(params);
    const question = this.#options.events.question(toolCall);
    const { decision } = await this.#ask(question);
    if (allows(decision)) {
      this.#allowed.set(question.call_id, question.paths);
      this.#options.events.allowed(question.call_id);
    }
    return chosen(decision, options);
  }

  async read(params: unknown): Promise<{ content: string }> {
    const { path, line, limit } = ReadParams.parse(params);
    await this.#mayTouch(path, 'read');
    const text = await onFile(path, () => readText(path));
    if (line === undefined && limit === undefined) return { content: text };
    const from = Math.max(0, (line ?? 1) - 1);
    const lines = text.split('\n');
    return { content: lines.slice(from, limit === undefined ? undefined : from + limit).join('\n') };
  }

  async write(params: unknown): Promise<Record<string, never>> {
    const { path, content } = WriteParams.parse(params);
    await this.#mayTouch(path, 'write');
    await onFile(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    });
    return {};
  }

  async #mayTouch(path: string, mode: 'read' | 'write'): Promise<void> {
    if (!isAbsolute(path)) throw new Refusal(`path must be absolute, and "${path}" is not.`, -32602);
    const question = this.#options.events.fileQuestion(path, mode);
    if (mode === 'write' && this.#allowed.get(question.call_id)?.includes(path)) return;
    const { decision, reason } = await this.#ask(question);
    if (!allows(decision)) throw new Refusal(reason ?? `The person does not want ${path} to be touched.`);
  }

  async #ask(question: AgentQuestion): Promise<{ decision: Decision; reason: string | null }> {
    const { hands, settled, asking, signal } = this.#options;
    await settled();
    if (signal.aborted) return { decision: 'cancel', reason: null };
    asking(true);
    try {
      const answer = await Promise.race([hands.approve(question), whenStopped(signal)]);
      if (answer.decision === 'decline') this.#refused = answer.reason ?? 'You declined it.';
      return answer;
    } catch {
      // The turn is lost: whoever took it over does not hear this agent.
      return { decision: 'cancel', reason: null };
    } finally {
      asking(false);
    }
  }
}

const allows = (decision: Decision): boolean => decision === 'accept' || decision === 'accept_for_session';

const whenStopped = (signal: AbortSignal): Promise<{ decision: Decision; reason: null }> =>
  new Promise((resolve) => {
    const stop = (): void => resolve({ decision: 'cancel', reason: null });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

/**
 * Best first. An agent that offers none of them is told that nothing was decided. What is agreed to for the session is
 * remembered here: an agent that did would not ask again, also where the session's access mode is another one by then.
 */
const kinds: Readonly<Record<Decision, readonly string[]>> = {
  accept: ['allow_once', 'allow_always'],
  accept_for_session: ['allow_once', 'allow_always'],
  decline: ['reject_once', 'reject_always'],
  cancel: [],
};

const chosen = (decision: Decision, options: Options): Outcome => {
  for (const kind of kinds[decision]) {
    const option = options.find((each) => each.kind === kind);
    if (option) return { outcome: { outcome: 'selected', optionId: option.optionId } };
  }
  return cancelled;
};

/** Bytes of a file that an agent may read in one piece. */
const longestFile = 100_000_000;

const readText = async (path: string): Promise<string> => {
  const facts = await stat(path);
  if (!facts.isFile()) throw new Error('it is not a file with text');
  if (facts.size > longestFile)
    throw new Error(`it has ${facts.size} bytes, and no more than ${longestFile} are read`);
  return readFile(path, 'utf8');
};

const onFile = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing) throw new Refusal(`Resource not found: ${path}`, -32002);
    throw new Refusal(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
};
