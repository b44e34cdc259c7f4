import type { AgentEvent, HistoryMessage, ImagePart, TextPart } from '@maestro/ports';

/** UTF-16 units of what came before that are told, the newest; and of a tool's result in it. */
const most_told = 200_000;
const most_result = 4_000;

export interface Told {
  /** For an agent whose own conversation does not have it; '' where nothing was said. */
  readonly text: string;
  /** It is only the newest part of what was said. */
  readonly part: boolean;
}

/** What was said before, as text. */
export const toldHistory = (messages: readonly HistoryMessage[]): Told => {
  const whole = messages.map(wordsOf).join('\n\n');
  const part = whole.length > most_told;
  if (whole === '') return { text: '', part };
  const told = part ? `[… earlier words left out …]\n${whole.slice(-most_told)}` : whole;
  const text = `This is what was said before in this session, between the person and an assistant whose work you take over:\n<conversation>\n${told}\n</conversation>`;
  // A cut may have halved a character.
  return { text: text.toWellFormed(), part };
};

/** For the person. */
export const toldInPart = (agent: string): AgentEvent => ({
  type: 'notice',
  code: 'agent_told_part',
  level: 'warning',
  text: `What was said before is too long to be told to ${agent}: it is told the newest part, and does not know the beginning. All of it is kept here.`,
});

const wordsOf = (message: HistoryMessage): string => {
  if (message.role === 'user') return `Person: ${plain(message.parts)}`;
  if (message.role === 'tool')
    return message.parts
      .map(
        ({ name, content, is_error }) =>
          `${name} ${is_error ? 'failed' : 'answered'}: ${plain(content).slice(0, most_result)}`,
      )
      .join('\n');
  return message.parts
    .flatMap((part) => {
      if (part.type === 'text') return [`Assistant: ${part.text}`];
      if (part.type === 'tool_call') return [`Assistant called ${part.name}: ${JSON.stringify(part.input)}`];
      return [];
    })
    .join('\n');
};

const plain = (parts: readonly (TextPart | ImagePart)[]): string =>
  parts.map((part) => (part.type === 'text' ? part.text : `[image, ${part.media_type}]`)).join('\n');
