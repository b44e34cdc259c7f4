/** What must not outlive the benchmarks: ends of what is running now. */
const endings = new Set<() => Promise<void>>();

/** Remembers how something is ended by force. Gives what forgets it, once it was ended properly. */
export const remember = (end: () => Promise<void>): (() => void) => {
  endings.add(end);
  return () => void endings.delete(end);
};

/** Ends by force what a failed or stopped row has left. */
export const endAll = async (): Promise<void> => {
  for (const end of [...endings].reverse()) {
    endings.delete(end);
    await end().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }
};
