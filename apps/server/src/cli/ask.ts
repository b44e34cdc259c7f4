import { createInterface } from 'node:readline';

/** What the person types, a line. undefined: they left by Ctrl-C, or there is nothing more to read. */
export const ask = (question: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    lines.once('close', () => resolve(undefined));
    lines.question(question, (line) => {
      resolve(line);
      lines.close();
    });
  });
