export type { CredentialResolver, EngineDeps, Limits } from './deps.ts';
export { defaultLimits } from './deps.ts';
export { createEngine, type RunningEngine } from './engine.ts';
export { withLiveText } from './live-text.ts';
export { parametersOf } from './tools/toolbox.ts';
