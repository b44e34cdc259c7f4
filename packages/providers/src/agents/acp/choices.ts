import type { AgentRequest } from '@maestro/ports';
import { AgentFault } from './agent-fault.ts';
import type { Connection } from './connection.ts';
import type { OpenConversation } from './kept-agents.ts';
import type { SessionMade } from './shapes.ts';

/** The agent and the model that a session's model names: `gemini`, `gemini/gemini-2.5-pro`. */
export const splitModel = (model: string): { agent: string; model: string | undefined } => {
  const at = model.indexOf('/');
  if (at === -1) return { agent: model, model: undefined };
  return { agent: model.slice(0, at), model: model.slice(at + 1) || undefined };
};

/** The choice of this kind that the agent offers. */
export const optionOf = (options: SessionMade['configOptions'], kind: string) =>
  options.find(({ category }) => category === kind);

/** The models that the agent offers. */
export const offered = ({ made }: OpenConversation): { id: string; name: string }[] => {
  if (made.models) return made.models.availableModels.map(({ modelId, name }) => ({ id: modelId, name }));
  const option = optionOf(made.configOptions, 'model');
  return (option?.options ?? []).map(({ value, name }) => ({ id: value, name }));
};

/**
 * Sets the agent's model, mode and effort as the session wants them. An AgentFault where it has no such model. `warn` is
 * told, once for a conversation that is open, where nothing holds the agent to reading.
 */
export const choose = async (
  connection: Connection,
  open: OpenConversation,
  request: AgentRequest,
  warn: (text: string) => void,
): Promise<void> => {
  const { agent } = connection;
  await chooseModel(connection, open, splitModel(request.model).model);
  const mode = agent.modes[request.access];
  const config = optionOf(open.made.configOptions, 'mode');
  const modes =
    open.made.modes?.availableModes.map(({ id }) => id) ?? config?.options.map(({ value }) => value);
  const has = mode !== undefined && modes?.includes(mode) === true;
  if (has && mode !== open.mode) {
    if (open.made.modes) await connection.call('session/set_mode', { sessionId: open.session, modeId: mode });
    else if (config) await option(connection, open, config.id, mode);
    open.mode = mode;
  }
  if (request.access === 'read_only' && !has && !open.warned) {
    open.warned = true;
    warn(
      `${agent.name} is not known to have a mode that only reads. What it asks for is refused; what it does without asking is not held back.`,
    );
  }
  const level = optionOf(open.made.configOptions, 'thought_level');
  const effort = level?.options.find(({ value }) => value === request.effort);
  if (level && effort) await option(connection, open, level.id, effort.value);
};

const chooseModel = async (
  connection: Connection,
  open: OpenConversation,
  asked: string | undefined,
): Promise<void> => {
  const model = asked ?? open.first_model;
  if (model === undefined || model === open.model) return;
  const { agent } = connection;
  const models = offered(open);
  if (!models.some(({ id }) => id === model))
    throw new AgentFault({
      cause: 'not_found',
      message:
        models.length === 0
          ? `${agent.name} does not let its model be chosen, and the session asks for "${model}".`
          : `${agent.name} has no model "${model}". It offers: ${models.map(({ id }) => id).join(', ')}.`,
      remedy: `Choose the model ${agent.id}${models[0] ? ` or ${agent.id}/${models[0].id}` : ''}.`,
    });
  const config = optionOf(open.made.configOptions, 'model');
  if (open.made.models)
    await connection.call('session/set_model', { sessionId: open.session, modelId: model });
  else if (config) await option(connection, open, config.id, model);
  open.model = model;
};

const option = async (
  connection: Connection,
  open: OpenConversation,
  configId: string,
  value: string,
): Promise<void> => {
  await connection.call('session/set_config_option', { sessionId: open.session, configId, value });
};
