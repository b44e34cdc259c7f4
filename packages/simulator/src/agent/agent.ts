import type { Prompt, SeenResult, Turn } from '../conversation.ts';
import type { ScenarioInput, Step } from '../scenario.ts';
import { type Command, commandOf, isContinue, rateIn } from './commands.ts';
import { faultScenario } from './faults.ts';
import { HELLO, HELP, SHOWCASE, words } from './texts.ts';
import { callOf, fileText, type Input, type Need, offered, readOnFrom } from './tools.ts';

/** A tool is asked again after a failure, so often in all. */
const TRIES = 3;

/** What has happened since the command was given. */
interface Progress {
  readonly prompt: Prompt;
  readonly results: readonly SeenResult[];
}

/**
 * The built-in agent: reads its command from the last message of the user and its state from the results that came
 * back, remembers nothing. `earlier` tells how often this very prompt was asked before (for faults that pass).
 */
export const agentScenario = (prompt: Prompt, earlier: number): ScenarioInput => {
  const { text, since } = lastCommand(prompt.turns);
  const results = since.flatMap((turn) => (turn.role === 'tool' ? turn.results : []));
  const command = commandOf(text);
  const rate = rateIn(text);
  const scenario = answer(command, { prompt, results }, earlier);
  return rate === undefined ? scenario : { ...scenario, tokens_per_second: rate };
};

const lastCommand = (turns: readonly Turn[]): { text: string; since: readonly Turn[] } => {
  const asked = turns.flatMap((turn, index) =>
    turn.role === 'user' ? [{ text: turn.text, since: turns.slice(index + 1) }] : [],
  );
  const real = asked.filter(({ text }) => !isContinue(text));
  return real.at(-1) ?? asked.at(-1) ?? { text: '', since: [] };
};

const answer = (command: Command, progress: Progress, earlier: number): ScenarioInput => {
  switch (command.type) {
    case 'upper':
      return transform(progress, command.from, command.to, (text) => text.toUpperCase(), 'its upper case');
    case 'copy':
      return transform(progress, command.from, command.to, (text) => text, 'a copy of it');
    case 'read':
      return readAll(progress, command.paths);
    case 'write':
      return once(progress, 'write', command, `I will write \`${command.path}\`.`);
    case 'edit':
      return once(progress, 'edit', command, `I will change \`${command.path}\`.`);
    case 'list':
      return once(progress, 'list', command, 'Let me look at the files.');
    case 'glob':
      return once(progress, 'glob', command, `Let me find files like \`${command.pattern}\`.`);
    case 'search':
      return once(progress, 'search', command, `Let me search for \`${command.pattern}\`.`);
    case 'shell':
      return once(progress, 'shell', command, `Running \`${command.command}\`.`);
    case 'code':
      return once(progress, 'code', command, `Running your ${command.language} code.`);
    case 'fail':
      return earlier < command.times ? faultScenario(command.how) : say('This time it went well.');
    default:
      return say(...wordsOf(command));
  }
};

const wordsOf = (command: Command): [text: string, thought?: string] => {
  if (command.type === 'words')
    return [words(command.count, command.topic), `${command.count} words, one after another.`];
  if (command.type === 'showcase') return [SHOWCASE, 'The person wants to see how an answer is drawn.'];
  if (command.type === 'say') return [command.text];
  if (command.type === 'hello') return [HELLO];
  if (command.type === 'think')
    return [
      `I have thought about ${command.topic}. It is worth thinking about.`,
      `**Looking at ${command.topic}**\n\n${words(60, command.topic)}\n\n**Weighing it**\n\n${words(60, `${command.topic}, again`)}`,
    ];
  return [HELP, 'No command that I know. I should say what I can do.'];
};

const say = (text: string, thought?: string): ScenarioInput => ({
  steps: [
    ...(thought === undefined ? [] : [{ type: 'thought', text: thought } as const]),
    { type: 'text', text },
  ],
});

/** Says and thinks what it does, then calls the tool once for each of `inputs`, in parallel. */
const call = ({ prompt }: Progress, need: Need, inputs: readonly Input[], text: string): ScenarioInput => {
  const tool = offered(prompt.tools, need);
  if (!tool)
    return say(
      `I would need a tool to ${need} for that, and none is offered to me. Enable it and ask again.`,
    );
  const steps: Step[] = [
    { type: 'thought', text: `I need the tool ${tool.name}.` },
    { type: 'text', text },
    { type: 'tool_calls', calls: inputs.map((input) => callOf(tool, input)) },
  ];
  return { steps };
};

const once = (
  progress: Progress,
  need: Need,
  input: Input & { readonly type: string },
  text: string,
): ScenarioInput => {
  const last = progress.results.at(-1);
  const { type, ...fields } = input;
  if (!last || (/interrupted|unknown/i.test(last.text) && last.is_error && progress.results.length < TRIES))
    return call(progress, need, [fields], text);
  if (last.is_error) return say(`That did not work:\n\n${fenced(last.text)}`);
  return say(`Done. The tool said:\n\n${fenced(last.text)}`);
};

/** Longer than any fence inside, so that it stays one block. */
const fenced = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.slice(0, 4000)}${text.endsWith('\n') ? '' : '\n'}${fence}`;
};

const readAll = (progress: Progress, paths: readonly string[]): ScenarioInput => {
  if (progress.results.length === 0)
    return call(
      progress,
      'read',
      paths.map((path) => ({ path })),
      `Reading ${paths.map((path) => `\`${path}\``).join(', ')}.`,
    );
  const parts = progress.results.map(
    (result, index) =>
      `\`${paths[index] ?? 'file'}\`${result.is_error ? ' could not be read' : ''}:\n\n${fenced(result.text)}`,
  );
  return say(parts.join('\n\n'));
};

const transform = (
  progress: Progress,
  from: string,
  to: string,
  change: (text: string) => string,
  what: string,
): ScenarioInput => {
  const { prompt, results } = progress;
  const reader = offered(prompt.tools, 'read')?.name;
  const writer = offered(prompt.tools, 'write')?.name;
  const reads = results.filter(({ name }) => name === reader);
  const writes = results.filter(({ name }) => name === writer);
  const parts = reads.filter((result) => !result.is_error);
  const failures = reads.length - parts.length;
  if (parts.length === 0 && failures >= TRIES)
    return say(`I could not read \`${from}\`:\n\n${fenced(reads.at(-1)?.text ?? '')}`);
  const last = parts.at(-1);
  if (!last) return call(progress, 'read', [{ path: from }], `First I read \`${from}\`.`);
  const start = readOnFrom(last.text);
  if (start !== undefined && failures < TRIES)
    return call(progress, 'read', [{ path: from, start }], `I read on from line ${start}.`);
  if (writes.some((result) => !result.is_error))
    return say(
      `Done: \`${to}\` holds ${what === 'its upper case' ? `the upper case of \`${from}\`` : `a copy of \`${from}\``}.`,
    );
  if (writes.length >= TRIES)
    return say(`I could not write \`${to}\`:\n\n${fenced(writes.at(-1)?.text ?? '')}`);
  const content = change(parts.map(({ text }) => fileText(text)).join(''));
  return call(progress, 'write', [{ path: to, content }], `Now I write ${what} to \`${to}\`.`);
};
