import type { Item, ItemId, ItemOf } from '@maestro/protocol';

/** Where a transcript goes: `out` is standard output, `err` standard error. */
export interface Outputs {
  out(text: string): void;
  err(text: string): void;
}

/** Prints the items of one turn as they grow. Feed it each item whenever it changes; it prints what is new. */
export interface Transcript {
  change(item: Item): void;
  /** Ends an open line. */
  end(): void;
}

const open: ReadonlySet<Item['status']> = new Set(['queued', 'streaming', 'running', 'pending']);

export const isFinished = (item: Item): boolean => !open.has(item.status);

const oneLine = (text: string, most = 160): string => {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  return flat.length > most ? `${flat.slice(0, most - 1)}…` : flat;
};

const callTitle = ({ title, data }: ItemOf<'tool_call'>): string => {
  if (title) return oneLine(title);
  const input = data.input === undefined ? '' : ` ${JSON.stringify(data.input)}`;
  return oneLine(`${data.name}${input}`);
};

/** One JSON object for each finished item, as `{"type": "item", "item": …}`. */
export const jsonTranscript = ({ out }: Outputs): Transcript => {
  const printed = new Set<ItemId>();
  return {
    change: (item) => {
      if (!isFinished(item) || printed.has(item.id)) return;
      printed.add(item.id);
      out(`${JSON.stringify({ type: 'item', item })}\n`);
    },
    end: () => undefined,
  };
};

/** The agent's words on `out` as they come; what it does, and what happens to it, on `err`. */
export const textTranscript = ({ out, err }: Outputs): Transcript => {
  const words = new Map<ItemId, number>();
  const told = new Map<ItemId, Item['status']>();
  let last: ItemId | undefined;
  let lineOpen = false;

  const say = (item: ItemOf<'agent_message'>): void => {
    const from = words.get(item.id) ?? 0;
    const text = item.data.text.slice(from);
    if (text === '') return;
    if (last !== undefined && last !== item.id) out(lineOpen ? '\n\n' : '\n');
    last = item.id;
    words.set(item.id, from + text.length);
    lineOpen = !text.endsWith('\n');
    out(text);
  };
  const tell = (item: Item, text: string): void => {
    if (told.get(item.id) === item.status) return;
    told.set(item.id, item.status);
    err(`${text}\n`);
  };
  const act = (item: ItemOf<'tool_call'>): void => {
    const title = callTitle(item);
    if (item.status === 'running') tell(item, `› ${title}`);
    else if (!isFinished(item)) return;
    else if (item.status === 'done') tell(item, `✓ ${title}`);
    else tell(item, `✗ ${title}: ${oneLine(item.data.error ?? item.data.output ?? item.status)}`);
  };

  return {
    change: (item) => {
      if (item.kind === 'agent_message') say(item);
      else if (item.kind === 'tool_call') act(item);
      else if (item.kind === 'notice') {
        tell(item, `${item.data.text}${item.data.remedy ? ` ${item.data.remedy}` : ''}`);
      }
    },
    end: () => {
      if (lineOpen) out('\n');
      lineOpen = false;
    },
  };
};
