import type { ImagePart, TextPart, ToolResult } from '@maestro/ports';
import type { Json } from '@maestro/protocol';

/**
 * UTF-16 units a file tool gives in one answer. Below the engine's limit (40,000), which would cut out the middle:
 * a window that says how to go on is worth more than a cut one.
 */
export const answerLimit = 38_000;

interface More {
  readonly title?: string;
  readonly details?: Json;
  readonly images?: readonly ImagePart[];
}

/** NUL is shown as ␀ and a lone surrogate as U+FFFD: neither can be stored or sent. */
const sendable = (text: string): string => text.toWellFormed().replaceAll('\0', '␀');

const parts = (text: string, images: readonly ImagePart[] = []): readonly (TextPart | ImagePart)[] => [
  { type: 'text', text: sendable(text) },
  ...images,
];

export const done = (text: string, { images, ...more }: More = {}): ToolResult => ({
  content: parts(text, images),
  ...more,
});

/** What went wrong and what to do instead. */
export const failed = (text: string, { images, ...more }: More = {}): ToolResult => ({
  content: parts(text, images),
  is_error: true,
  ...more,
});

export const stopped = (): ToolResult => failed('Stopped by the person before it was done.');

/** `1 line`, `2 lines`, `1,234 lines`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

/** `812 bytes`, `4.1 kB`, `104.9 MB` (decimal). */
export const sized = (bytes: number): string => {
  if (bytes < 1000) return counted(bytes, 'byte');
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
};

/** The first `limit` UTF-16 units, never half of a pair. */
export const cutText = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit);
};
