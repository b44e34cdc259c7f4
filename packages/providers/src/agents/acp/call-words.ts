import type { AgentQuestion, ImagePart, TextPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { Block, CallContent, CallUpdate } from './shapes.ts';

/** What is known of a tool call of an agent. */
export interface CallFacts {
  title: string;
  /** The agent's name of the tool, else the kind of work. */
  name: string;
  kind: string;
  content: readonly CallContent[];
  paths: readonly string[];
  input: Json | undefined;
  output: Json | undefined;
  /** The output of its command so far, where the agent tells it in pieces; the end of it where it is long. */
  terminal: string;
}

/** UTF-16 units of a command's output that are kept. */
const mostKept = 1_000_000;

export const newFacts = (): CallFacts => ({
  title: '',
  name: 'tool',
  kind: 'other',
  content: [],
  paths: [],
  input: undefined,
  output: undefined,
  terminal: '',
});

/** What an update says takes the place of what was known. */
export const learn = (facts: CallFacts, update: CallUpdate): void => {
  facts.title = update.title ?? facts.title;
  facts.kind = update.kind ?? facts.kind;
  facts.name =
    update.name ?? (facts.name === 'tool' || update.kind ? (update.kind ?? facts.name) : facts.name);
  facts.content = update.content ?? facts.content;
  facts.paths = update.locations?.map(({ path }) => path) ?? facts.paths;
  facts.input = update.rawInput ?? facts.input;
  facts.output = update.rawOutput ?? facts.output;
  facts.terminal = (facts.terminal + pieceOf(update)).slice(-mostKept);
};

/** What an update adds to the output of a command. */
export const pieceOf = ({ _meta }: CallUpdate): string =>
  (_meta?.terminal_output_delta ?? _meta?.terminal_output)?.data ?? '';

/** For the transcript. Agents that keep the arguments to themselves (gemini-cli) still say the title and the places. */
export const inputOf = ({ input, title, kind, paths }: CallFacts): Json => {
  if (input !== undefined) return input;
  if (kind === 'execute') return { command: title };
  const [path, ...others] = paths;
  if (path === undefined) return title === '' ? {} : { title };
  return others.length === 0 ? { path } : { path, paths: [...paths] };
};

const risks: Readonly<Record<string, AgentQuestion['risk']>> = {
  read: 'read',
  search: 'read',
  think: 'read',
  edit: 'write',
  delete: 'write',
  move: 'write',
};
/** What the protocol does not know to be harmless counts as a command. */
export const riskOf = (kind: string): AgentQuestion['risk'] => risks[kind] ?? 'execute';

/** Every file it names. */
export const pathsOf = ({ paths, content }: CallFacts): string[] => [
  ...new Set([...paths, ...content.flatMap((part) => (part.type === 'diff' ? [part.path] : []))]),
];

/** The text that it has shown so far. */
export const shownText = (content: readonly CallContent[]): string =>
  content.flatMap((part) => (part.type === 'content' ? [textOf(part.content)] : [])).join('\n');

export const textOf = (block: Block): string => {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'resource':
      return block.resource.text ?? block.resource.uri;
    case 'resource_link':
      return block.uri;
    case 'image':
      return '[image]';
    case 'audio':
      return '[audio]';
  }
};

/** What a call came to. */
export const resultOf = (facts: CallFacts): { content: (TextPart | ImagePart)[]; details?: Json } => {
  const content = facts.content.flatMap((part): (TextPart | ImagePart)[] => {
    if (part.type === 'diff') return [{ type: 'text', text: `Changed ${part.path}` }];
    if (part.type === 'terminal') return [];
    if (part.content.type === 'image')
      return [
        { type: 'image', media_type: part.content.mimeType, bytes: Buffer.from(part.content.data, 'base64') },
      ];
    return [{ type: 'text', text: textOf(part.content) }];
  });
  if (content.length === 0 && facts.terminal !== '') content.push({ type: 'text', text: facts.terminal });
  if (content.length === 0 && facts.output !== undefined)
    content.push({
      type: 'text',
      text: typeof facts.output === 'string' ? facts.output : JSON.stringify(facts.output, null, 2),
    });
  const details = diffDetails(facts.content);
  return details === undefined ? { content } : { content, details };
};

/** UTF-16 units of a changed file that are compared; comparing holds up the process. */
const mostCompared = 500_000;
const compare_ms = 200;

const diffDetails = (content: readonly CallContent[]): Json | undefined => {
  const changes = content.flatMap((part) => (part.type === 'diff' ? [part] : []));
  const [first] = changes;
  if (!first) return undefined;
  const diff = changes
    .flatMap(({ path, oldText, newText }) => {
      if (Math.max(oldText?.length ?? 0, newText.length) > mostCompared) return [];
      const name = path.replace(/^\//, '');
      const from = oldText === undefined ? '/dev/null' : `a/${name}`;
      return (
        createTwoFilesPatch(from, `b/${name}`, oldText ?? '', newText, '', '', {
          context: 3,
          timeout: compare_ms,
          headerOptions: FILE_HEADERS_ONLY,
        }) ?? []
      );
    })
    .join('\n');
  return { path: first.path, diff: diff === '' ? null : diff };
};
