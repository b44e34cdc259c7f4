import type { ItemOf, ItemStatus, Json } from '@maestro/protocol';
import type { IconName } from '../../ui/icons.tsx';

type Tool = ItemOf<'tool_call'>;

const words: Record<ItemStatus, string> = {
  queued: 'Queued',
  streaming: 'Preparing',
  running: 'Running',
  pending: 'Waiting for you',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Stopped',
  unknown: 'Outcome unknown',
  stale: 'Not run',
  removed: 'Removed',
};

export const toolState = (item: Tool): string => words[item.status];

export const toolStateIcon = (item: Tool): IconName => {
  if (item.status === 'done') return 'check';
  if (item.status === 'failed' || item.status === 'unknown') return 'warning';
  if (item.status === 'cancelled' || item.status === 'stale') return 'cross';
  return 'clock';
};

export const toolIcon = (name: string): IconName => {
  if (/shell|execute|run|bash|code/.test(name)) return 'terminal';
  if (/search|glob|list|grep/.test(name)) return 'search';
  if (/write|edit|replace|patch/.test(name)) return 'edit';
  return 'file';
};

/** The argument a person looks for: the path, the command, the pattern. */
export const mainArgument = (input: Json | undefined): string => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return '';
  for (const key of ['command', 'path', 'file_path', 'pattern', 'query', 'url', 'code', 'language']) {
    const value = input[key];
    if (typeof value === 'string' && value !== '') return value.split('\n')[0] ?? '';
  }
  const first = Object.values(input).find((value) => typeof value === 'string');
  return typeof first === 'string' ? (first.split('\n')[0] ?? '') : '';
};

/** The unified diff that a tool left for people, where it left one. */
export const diffOf = (details: Json | undefined): string | null => {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return null;
  const diff = details['diff'] ?? details['patch'];
  return typeof diff === 'string' && diff !== '' ? diff : null;
};

export const exitCodeOf = (details: Json | undefined): number | null => {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return null;
  const code = details['exit_code'];
  return typeof code === 'number' ? code : null;
};
