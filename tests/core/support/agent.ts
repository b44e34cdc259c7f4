import type { AgentEvent, AgentHands, AgentRequest, ExternalAgent, Native } from '@maestro/ports';
import { noUsage } from '@maestro/protocol';

type Run = (request: AgentRequest, hands: AgentHands, signal: AbortSignal) => AsyncIterable<AgentEvent>;

/** An external agent made of a function; it keeps what it was asked and whom it let go. */
export interface FakeAgent extends ExternalAgent {
  readonly requests: AgentRequest[];
  readonly released: string[];
}

export const fakeAgent = (run: Run): FakeAgent => {
  const requests: AgentRequest[] = [];
  const released: string[] = [];
  return {
    requests,
    released,
    id: 'claude_code',
    name: 'Test Agent',
    wire: 'claude_code',
    auth_types: ['cli'],
    default_model: 'default',
    run: (request, hands, signal) => {
      requests.push(request);
      return run(request, hands, signal);
    },
    look: async () => ({ state: 'ready', hint: null, program: 'test 1.0', models: [] }),
    check: async () => ({ ok: true, value: { message: 'fine' } }),
    describe: (id) => ({
      id,
      name: id,
      context_tokens: null,
      max_output_tokens: null,
      thinking: false,
      tools: true,
      images: false,
      input_usd_per_mtok: null,
      output_usd_per_mtok: null,
    }),
    release: async (id) => {
      released.push(id);
    },
    close: async () => undefined,
  };
};

export const conversation = (name: string): Native => ({
  wire: 'claude_code',
  model: 'default',
  parts: { conversation: name },
});

export const message = (native = conversation('one')): AgentEvent => ({
  type: 'message',
  native,
  usage: { ...noUsage, request_tokens: 90, response_tokens: 10 },
  stop_raw: null,
  response: null,
});

export const says = (block: number, text: string): AgentEvent[] => [
  { type: 'block_start', block, kind: 'text' },
  { type: 'delta', block, text },
  { type: 'block_end', block },
];

export const calls = (block: number, call_id: string, name: string, input: object = {}): AgentEvent[] => [
  { type: 'block_start', block, kind: 'tool_call', call_id, name },
  { type: 'block_end', block, input: { ...input } },
];

export const ended: AgentEvent = { type: 'done', stop: 'end', stop_raw: 'end', spent: [] };
