import { counted } from './answers.ts';
import type { ProcessEnd } from './run-process.ts';

/** `0.1 s`, `12.3 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** How a run ended: `exit code 1`, `ended by SIGSEGV`. */
export const endWords = ({ why, code, signal }: ProcessEnd, timeout_s: number): string => {
  if (why === 'timeout') return `time limit of ${timeout_s} s reached; ended with all its children`;
  if (why === 'aborted') return 'stopped by the person; ended with all its children';
  if (why === 'shutdown') return 'the server was shut down; ended with all its children';
  if (why === 'output_limit') return 'more than 1 MB of output; ended with all its children';
  if (signal !== null) return `ended by signal ${signal}`;
  return `exit code ${code}`;
};

export const isFailure = ({ why, code }: ProcessEnd): boolean => why !== 'exit' || code !== 0;

export const stubbornWords = ({ stubborn }: ProcessEnd): string[] =>
  stubborn.length === 0
    ? []
    : [`${counted(stubborn.length, 'process', 'processes')} would not end: ${stubborn.join(', ')}.`];
