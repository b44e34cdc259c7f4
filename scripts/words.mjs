// What the launchers say. Always to standard error: standard output belongs to the command that is started.

/** One plain line for the person at the terminal. */
export const say = (line) => process.stderr.write(`${line}\n`);

/** Says what failed and what to do, and ends with `code`. */
export const giveUp = (lines, code = 1) => {
  say('');
  for (const line of lines) say(line);
  process.exit(code);
};
