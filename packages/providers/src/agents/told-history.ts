import type { AgentEvent, HistoryMessage, ImagePart, TextPart } from '@maestro/ports';

/** UTF-16 units of what came before that are told, the newest; and of a tool's result in it. */
const most_told = 200_000;
const most_result = 4_000;
/** Images of the person's that are shown again, the newest. */
const most_images = 10;

export interface Told {
  /** For an agent whose own conversation does not have it; '' where nothing was said. */
  readonly text: string;
  /** The images that the text names by number, in order. */
  readonly images: readonly ImagePart[];
  /** It is only the newest part of what was said. */
  readonly part: boolean;
}

/** What was said before, as text. */
export const toldHistory = (messages: readonly HistoryMessage[]): Told => {
  const images = messages
    .flatMap((message) => (message.role === 'user' ? message.parts : []))
    .filter((part) => part.type === 'image')
    .slice(-most_images);
  const whole = messages.map((message) => wordsOf(message, images)).join('\n\n');
  const part = whole.length > most_told;
  if (whole === '') return { text: '', images, part };
  const told = part ? `[… earlier words left out …]\n${whole.slice(-most_told)}` : whole;
  const text = `This is what was said before in this session, between the person and an assistant whose work you take over:\n<conversation>\n${told}\n</conversation>${images.length === 0 ? '' : '\nIts images follow, in order.'}`;
  // A cut may have halved a character.
  return { text: text.toWellFormed(), images, part };
};

/** For the person. */
export const toldInPart = (agent: string): AgentEvent => ({
  type: 'notice',
  code: 'agent_told_part',
  level: 'warning',
  text: `What was said before is too long to be told to ${agent}: it is told the newest part, and does not know the beginning. All of it is kept here.`,
});

const wordsOf = (message: HistoryMessage, images: readonly ImagePart[]): string => {
  if (message.role === 'user') return `Person: ${plain(message.parts, images)}`;
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

const plain = (parts: readonly (TextPart | ImagePart)[], images: readonly ImagePart[] = []): string =>
  parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      const at = images.indexOf(part);
      return at < 0 ? `[image, ${part.media_type}]` : `[image ${at + 1}]`;
    })
    .join('\n');
