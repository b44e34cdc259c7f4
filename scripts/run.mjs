// Hands over to another program as if it had been started in our place: same terminal, same signals, same exit code.
import { spawn } from 'node:child_process';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs a program to its end and takes over its exit code or signal. Never returns. */
export const become = (program, args, options) => {
  const child = spawn(program, args, { stdio: 'inherit', ...options });
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on('error', (error) => {
    process.stderr.write(`${program} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    for (const each of signals) process.off(each, forward);
    process.kill(process.pid, signal);
  });
};

/** Runs a program to its end; gives its exit code (128 + n after a signal). */
export const runToEnd = (program, args, options) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const each of signals) process.off(each, forward);
      resolve(signal ? 130 : (code ?? 1));
    });
  });
