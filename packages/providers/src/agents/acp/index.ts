export type { AcpAgent } from './acp-agent.ts';
export { type AcpAgents, createAgentList, fixedAgents, shippedAgents } from './agent-list.ts';
export { type AcpLimits, type AcpOptions, createAcp } from './create-acp.ts';
