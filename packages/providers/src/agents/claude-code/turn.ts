import type { AgentBill, AgentEvent, AgentHands, AgentRequest, ProviderError } from '@maestro/ports';
import type { Basis, Json } from '@maestro/protocol';
import { type Fields, text } from '../../vendors/shared/json.ts';
import { EventQueue } from '../process/event-queue.ts';
import { within } from '../process/program.ts';
import { Silence } from '../process/silence.ts';
import { basisOf, billOf } from './bill.ts';
import type { Connection } from './connection.ts';
import { type Asked, Decoder } from './decode.ts';
import { died, errorOf, isUnknownConversation, silent, stopped } from './errors.ts';
import { HeardUsage } from './heard-usage.ts';
import { mcpPatience, pendingServers, waitsFor } from './mcp-wait.ts';
import { nativeOf } from './prompt.ts';

export interface TurnOptions {
  readonly connection: Connection;
  readonly request: AgentRequest;
  readonly hands: AgentHands;
  readonly signal: AbortSignal;
  readonly content: readonly Json[];
  readonly env: Readonly<Record<string, string>>;
  readonly silence_ms: number;
}

/** How long it may take to stop when it is interrupted, in ms. Then its process is ended. */
const interrupt_ms = 2_000;

/** A turn that has not begun after so long is looked into: its MCP servers may hold it, in ms. */
const begins_ms = 3_000;

type Ending =
  | { type: 'result'; result: Fields }
  | { type: 'died'; how: string }
  | { type: 'silent' }
  | { type: 'not_stopped' };

/** The conversation it was to go on with is not there any more: the turn is tried again without. */
export class UnknownConversation extends Error {}

/** One turn of a process that is there. Throws UnknownConversation before its first event. */
export async function* runTurn(options: TurnOptions): AsyncGenerator<AgentEvent, void, undefined> {
  const { connection, request, hands, signal, content, env, silence_ms } = options;
  const queue = new EventQueue<AgentEvent | Asked | Ending>();
  const refused = new Set<string>();
  const ended = Promise.withResolvers<void>();
  let basis: Basis = 'subscription';
  const finish = (ending: Ending): void => {
    queue.push(ending);
    queue.end();
    ended.resolve();
  };
  const heard = new HeardUsage();
  const silence = new Silence(silence_ms, () => finish({ type: 'silent' }));
  const decoder = new Decoder({
    emit: (event) => queue.push(event),
    native: (session) => nativeOf(session, request.conversation_id, request.model),
    refused,
    stopped: () => signal.aborted,
  });
  const late =
    request.mcp_servers.length === 0 ? undefined : setTimeout(() => connection.askServers(), begins_ms);
  connection.listen({
    garbage: () => silence.heard(),
    line: (message) => {
      silence.heard();
      heard.line(message);
      if (message['type'] === 'system' && message['subtype'] === 'init') {
        clearTimeout(late);
        // An interruption that came before the turn was begun has stopped nothing.
        if (signal.aborted) connection.interrupt();
        basis = basisOf(message, env);
        for (const name of connection.newlyFailed(message)) queue.push(noServer(name));
      }
      const pending = pendingServers(message) ?? [];
      if (pending.length > 0) queue.push(waitsFor(pending, mcpPatience(env)));
      if (message['type'] !== 'result') return decoder.line(message);
      decoder.end();
      finish({ type: 'result', result: message });
    },
  });
  connection.ended.then((how) => {
    decoder.end();
    finish({ type: 'died', how });
  });
  const stop = (): void => {
    connection.interrupt();
    void within(ended.promise, interrupt_ms).then((inTime) => {
      if (!inTime) finish({ type: 'not_stopped' });
    });
  };
  signal.addEventListener('abort', stop, { once: true });
  connection.say(content);
  if (signal.aborted) stop();

  const broken = (error: ProviderError): AgentEvent => ({ type: 'error', error, spent: heard.spent(basis) });
  const billed = (result: Fields): AgentBill['spent'] => {
    const spent = billOf(result, basis);
    return spent.length > 0 ? spent : heard.spent(basis);
  };
  const running = new Set<string>();
  try {
    for await (const event of queue.read()) {
      switch (event.type) {
        case 'asked':
          silence.excuse();
          void answer(connection, hands, event, refused).then((allowed) => {
            silence.expect();
            if (!allowed || !event.own) return;
            const { call_id, title } = event.question;
            running.add(call_id);
            silence.excuse();
            queue.push({ type: 'tool_start', call_id, title });
          });
          break;
        case 'tool_end':
          if (running.delete(event.call_id)) silence.expect();
          yield event;
          break;
        case 'result':
          yield* resultOf(event.result, decoder, signal, billed(event.result));
          return;
        case 'died':
          yield broken(signal.aborted ? stopped : died(event.how, connection.lastWords));
          return;
        case 'silent':
          await connection.end('at_once');
          yield broken(silent(silence_ms));
          return;
        case 'not_stopped':
          await connection.end('at_once');
          yield broken(stopped);
          return;
        default:
          yield event;
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(late);
    silence.end();
    connection.listen(undefined);
  }
}

const noServer = (name: string): AgentEvent => ({
  type: 'notice',
  code: 'mcp_failed',
  level: 'warning',
  text: `Claude Code could not start the MCP server ${name}: its tools are not there. Check its entry in mcp.json.`,
});

/** Asks, and tells it the answer. true: the call runs now. */
const answer = async (
  connection: Connection,
  hands: AgentHands,
  { request_id, question, own }: Asked,
  refused: Set<string>,
): Promise<boolean> => {
  const { decision, reason } = await hands.approve(question).catch(() => lost);
  if (decision === 'accept' || decision === 'accept_for_session') {
    connection.allow(request_id, question.input);
    return true;
  }
  if (own && reason === null) refused.add(question.call_id);
  const words =
    reason ?? `The person declined this call (${question.tool}). Do not try it again without asking why.`;
  connection.deny(request_id, words, decision === 'cancel');
  return false;
};

/** The turn is not ours any more. */
const lost = { decision: 'cancel', reason: null } as const;

function* resultOf(
  result: Fields,
  decoder: Decoder,
  signal: AbortSignal,
  spent: AgentBill['spent'],
): Generator<AgentEvent, void, undefined> {
  if (signal.aborted) {
    yield { type: 'error', error: stopped, spent };
    return;
  }
  if (isUnknownConversation(result)) throw new UnknownConversation();
  const synthetic = decoder.synthetic;
  const error = errorOf(result, synthetic?.error);
  if (error) {
    yield { type: 'error', error, spent };
    return;
  }
  if (synthetic && synthetic.words !== '')
    yield { type: 'notice', code: 'agent_notice', level: 'info', text: synthetic.words };
  const raw = text(result['stop_reason']) ?? null;
  yield { type: 'done', stop: stops[raw ?? ''] ?? 'end', stop_raw: raw, spent };
}

const stops = { max_tokens: 'max_output', refusal: 'refused' } as Readonly<
  Record<string, 'max_output' | 'refused'>
>;
