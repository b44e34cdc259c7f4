import { z } from 'zod';
import { createOwnList } from '../../own-list.ts';
import { AcpAgent } from './acp-agent.ts';
import shippedJson from './shipped-agents.json' with { type: 'json' };

export const shippedAgents: readonly AcpAgent[] = z.array(AcpAgent).parse(shippedJson);

/** The agents a session may choose from. */
export interface AcpAgents {
  /** Shipped ones and the person's own, the latter first. */
  list(): readonly AcpAgent[];
  /** Where a person adds one; null where there is no such file. */
  readonly file: string | null;
}

export interface AgentListOptions {
  /** The person's own agents; may be missing. */
  readonly file: string;
  /** Told in words, once per version of the file, what of it is not used. */
  readonly report: (problem: string) => void;
}

export const createAgentList = ({ file, report }: AgentListOptions): AcpAgents => ({
  file,
  list: createOwnList({
    file,
    field: 'agents',
    form: '{"agents": [{"id", "name", "command", "args", "env"}]}',
    word: 'agent',
    entry: AcpAgent,
    shipped: shippedAgents,
    report,
  }),
});

/** Only these: for the demo and for tests. */
export const fixedAgents = (agents: readonly z.input<typeof AcpAgent>[]): AcpAgents => {
  const list = z.array(AcpAgent).parse(agents);
  return { file: null, list: () => list };
};
