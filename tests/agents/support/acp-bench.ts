import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  AgentAnswer,
  AgentEvent,
  AgentQuestion,
  AgentRequest,
  ExternalAgent,
  HistoryMessage,
  Log,
} from '@maestro/ports';
import { systemClock } from '@maestro/ports';
import type { ConversationId, SessionId } from '@maestro/protocol';
import { type AcpLimits, createAcp, fixedAgents } from '@maestro/providers';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';

export interface Asked {
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly pid: number;
}

export interface Bench extends AsyncDisposable {
  readonly acp: ExternalAgent;
  /** A new folder of the test's own; also the agents' working directory. */
  readonly folder: string;
  /** What the agents were asked, in order. */
  asked(method?: string): Asked[];
  readonly log: { event: string; fields: Record<string, unknown> | undefined }[];
}

/** The provider with the example agent as `example`, started with these arguments. */
export const startBench = async (
  kinds: readonly string[] = [],
  limits: Partial<AcpLimits> = {},
): Promise<Bench> => {
  const folder = temporaryFolder('acp');
  const log: Bench['log'] = [];
  const write = (event: string, fields?: Record<string, unknown>): void => void log.push({ event, fields });
  const record: Log = { info: write, warn: write, error: write };
  const acp = createAcp({
    agents: fixedAgents([
      {
        id: 'example',
        name: 'Example',
        command: process.execPath,
        args: [join(import.meta.dirname, 'acp-example.ts'), ...kinds],
        env: { EXAMPLE_FOLDER: folder },
        login: 'Run example login.',
        modes: { read_only: 'plan' },
      },
      { id: 'absent', name: 'Absent', command: 'no-such-agent', install: 'npm install -g absent' },
    ]),
    env: { ...process.env, EXAMPLE_API_KEY: 'example-key-12345', ENCRYPTION_KEY: 'never' },
    version: '0.0.0',
    log: record,
    clock: systemClock,
    limits,
  });
  return {
    acp,
    folder,
    log,
    asked: (method) => {
      const path = join(folder, 'asked.jsonl');
      if (!existsSync(path)) return [];
      const all = readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line): Asked => JSON.parse(line));
      return method === undefined ? all : all.filter((each) => each.method === method);
    },
    [Symbol.asyncDispose]: async () => {
      await acp.close();
      await removeFolder(folder);
    },
  };
};

export const says = (text: string): HistoryMessage => ({ role: 'user', parts: [{ type: 'text', text }] });

export interface TurnAsked {
  readonly history: readonly HistoryMessage[];
  readonly request?: Partial<AgentRequest>;
  readonly approve?: (question: AgentQuestion) => Promise<AgentAnswer>;
  readonly signal?: AbortSignal;
  /** Told each event as it is read. */
  readonly on?: (event: AgentEvent) => void;
}

/** One turn to its end: all its events. */
export const turn = async (
  bench: Bench,
  { history, request, approve, signal, on }: TurnAsked,
): Promise<AgentEvent[]> => {
  const asked: AgentRequest = {
    session_id: 'ses_1' as SessionId,
    conversation_id: 'con_1' as ConversationId,
    model: 'example',
    system: 'Be brief.',
    history,
    effort: null,
    working_directory: bench.folder,
    access: 'ask',
    mcp_servers: [],
    max_turns: null,
    ...request,
  };
  const hands = { approve: approve ?? (async () => ({ decision: 'accept' as const, reason: null })) };
  const events: AgentEvent[] = [];
  for await (const event of bench.acp.run(asked, hands, signal ?? new AbortController().signal)) {
    events.push(event);
    on?.(event);
  }
  return events;
};

/** The turn's messages as a history has them. */
export const heard = (events: readonly AgentEvent[]): HistoryMessage => {
  const native = events.findLast((event) => event.type === 'message')?.native;
  return { role: 'assistant', parts: [{ type: 'text', text: words(events) }], ...(native ? { native } : {}) };
};

export const words = (events: readonly AgentEvent[]): string => {
  const texts = new Set(
    events.flatMap((event) => (event.type === 'block_start' && event.kind === 'text' ? [event.block] : [])),
  );
  return events
    .flatMap((event) => (event.type === 'delta' && texts.has(event.block) ? [event.text] : []))
    .join('');
};

export const last = (events: readonly AgentEvent[]): AgentEvent | undefined => events.at(-1);
