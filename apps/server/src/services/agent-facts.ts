import type { AgentState, ExternalAgent } from '@maestro/ports';
import type { ProviderFacts } from '@maestro/protocol';

/** An agent as the API shows it, beside the providers that are called. */
export const agentFacts = (agent: ExternalAgent, seen: AgentState): ProviderFacts => ({
  id: agent.id,
  name: agent.name,
  state: seen.state,
  hint: seen.hint,
  auth_types: [...agent.auth_types],
  // It finds its own service and has its own login.
  base_url: '',
  credential: seen.program,
  profile: '',
  default_model: agent.default_model,
  models: [...seen.models],
  presets: [],
});

/** Before it was looked at. */
export const unseenAgent = (agent: ExternalAgent): ProviderFacts =>
  agentFacts(agent, { state: 'unknown', hint: null, program: null, models: [] });
