import { type Command, maestro } from './command.ts';

/** Lines of two columns, the right one lined up. */
const columns = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
};

export const helpOf = (command: Command): string => {
  const options = Object.entries(command.options).map(([name, option]): [string, string] => {
    const short = option.short ? `-${option.short}, ` : '';
    return [`${short}--${name}${option.value ? ` ${option.value}` : ''}`, option.help];
  });
  const parts = [
    command.about,
    `Usage: ${maestro} ${command.usage}`,
    `Options:\n${columns([...options, ['-h, --help', 'Say this.']])}`,
  ];
  if (command.examples.length > 0) {
    parts.push(`Examples:\n${command.examples.map((line) => `  ${maestro} ${line}`).join('\n')}`);
  }
  return `${parts.join('\n\n')}\n`;
};

export const helpOfAll = (summaries: readonly (readonly [string, string])[]): string =>
  [
    'The Maestro: a local-first command centre for your team of AI agents.',
    `Usage: ${maestro} COMMAND [options]`,
    `Commands:\n${columns(summaries)}`,
    `More about one: ${maestro} COMMAND --help\n`,
  ].join('\n\n');
