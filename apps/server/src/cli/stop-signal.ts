import { exit } from './command.ts';

/** One Ctrl-C can arrive twice within this time: from the terminal and again through npm. */
const same_press_ms = 500;

export interface StopRequest {
  readonly asked: Promise<NodeJS.Signals>;
  already(): boolean;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. The first asks to stop; a further one, pressed again, ends the process at
 * once with code 130.
 */
export const untilStopped = (): StopRequest => {
  let first: number | undefined;
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      resolve(signal);
    } else if (now - first > same_press_ms) {
      process.exit(exit.interrupted);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return { asked: promise, already: () => first !== undefined };
};
