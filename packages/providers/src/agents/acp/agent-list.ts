import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { AcpAgent, AgentFile } from './acp-agent.ts';
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

/**
 * Reads `file` when it has changed since the last question. One that cannot be read leaves what was read before in
 * force; a single agent that is wrong is left out and the others are used.
 */
export const createAgentList = ({ file, report }: AgentListOptions): AcpAgents => {
  let version = 'none';
  let agents = shippedAgents;
  return {
    file,
    list: () => {
      const now = versionOf(file);
      if (now === version) return agents;
      version = now;
      const own = now === 'none' ? [] : readOwn(file, report);
      if (own === undefined) return agents;
      const taken = new Set(own.map(({ id }) => id));
      agents = [...own, ...shippedAgents.filter(({ id }) => !taken.has(id))];
      return agents;
    },
  };
};

/** Only these: for the demo and for tests. */
export const fixedAgents = (agents: readonly z.input<typeof AcpAgent>[]): AcpAgents => {
  const list = z.array(AcpAgent).parse(agents);
  return { file: null, list: () => list };
};

const versionOf = (file: string): string => {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.size}`;
};

/** undefined: the file as a whole cannot be read. */
const readOwn = (file: string, report: (problem: string) => void): AcpAgent[] | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    report(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const outer = AgentFile.safeParse(json);
  if (!outer.success) {
    report(`${file} must hold {"agents": [{"id", "name", "command", "args", "env"}]}.`);
    return undefined;
  }
  const good: AcpAgent[] = [];
  for (const [place, value] of outer.data.agents.entries()) {
    const parsed = AcpAgent.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = ['agents', place, ...(issue?.path ?? [])].join('.');
      report(`${file}: ${where}: ${issue?.message ?? 'is not valid'}. This agent is not used.`);
    } else if (good.some(({ id }) => id === parsed.data.id)) {
      report(`${file}: agents.${place}.id "${parsed.data.id}" is there twice. The second is not used.`);
    } else good.push(parsed.data);
  }
  return good;
};
