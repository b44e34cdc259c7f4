export { html_error } from './agent/faults.ts';
export type { Prompt, SeenCall, SeenResult, Turn, WireId } from './conversation.ts';
export type { Ending, SeenRequest } from './request-log.ts';
export { Failure, type FailureKind, type Quirk, Scenario, type ScenarioInput, Step } from './scenario.ts';
export type { Match, Responder } from './script.ts';
export { type Settings, type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';
export { countTokens } from './tokens.ts';
