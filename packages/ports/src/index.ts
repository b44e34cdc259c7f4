export * from './clock.ts';
export * from './engine.ts';
export * from './log.ts';
export * from './provider.ts';
export * from './result.ts';
export * from './store.ts';
export * from './telemetry.ts';
export * from './tool.ts';
