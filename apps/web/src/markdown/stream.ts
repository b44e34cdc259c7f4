import {
  type Blocks,
  definitionsIn,
  type Highlight,
  type Links,
  type LinkTarget,
  lexBlocks,
  renderBlock,
} from './dialect.ts';

export interface Block {
  readonly raw: string;
  readonly html: string;
}

/** What stands after the frozen blocks: nothing, parsed HTML, or a top-level fence that grows as plain text. */
export type Open =
  | { readonly type: 'none' }
  | { readonly type: 'html'; readonly html: string }
  | { readonly type: 'fence'; readonly language: string; readonly code: string };

interface Fence {
  readonly close: RegExp;
  readonly info: string;
  readonly bodyStart: number;
  /** Start of the first line not yet searched for the closing fence. */
  scanned: number;
}

const fenceOpening = /^ {0,3}(`{3,}(?=[^`\n]*\n)|~{3,})([^\n]*)\n/;
const none: Open = { type: 'none' };

/**
 * Markdown that arrives in pieces. Every block but the last is frozen: parsed once, never again, unless a link
 * definition it refers to arrives later. The work of `append` depends on the length of the last block alone.
 * After `finish` the blocks are the same as those of a whole render, however the text was cut.
 */
export class MarkdownStream {
  readonly blocks: Block[] = [];
  /** Indices of frozen blocks whose HTML changed since the reader last cleared this set. */
  readonly rewritten = new Set<number>();
  open: Open = none;
  readonly #highlight: Highlight;
  #source = '';
  #heldReturn = false;
  #frozenEnd = 0;
  #fence: Fence | null = null;
  readonly #frozenLinks = new Map<string, LinkTarget>();
  #links: Links = new Map();

  constructor(highlight: Highlight) {
    this.#highlight = highlight;
  }

  append(piece: string): void {
    const text = this.#normalise(piece);
    if (text === '') return;
    this.#source += text;
    if (this.#fence) {
      if (!this.#scanFence(this.#fence)) return;
    }
    if (text.includes('\n')) this.#freezeFinished();
    this.#renderOpen();
  }

  /** The text is complete: what is open becomes frozen. */
  finish(): void {
    if (this.#heldReturn) {
      this.#heldReturn = false;
      this.#source += '\n';
    }
    this.#fence = null;
    const blocks = lexBlocks(this.#source.slice(this.#frozenEnd));
    this.#freeze(blocks, blocks.tokens.length);
    this.open = none;
  }

  /** Carriage returns become line feeds; one at the end waits for its possible line feed. */
  #normalise(piece: string): string {
    let text = this.#heldReturn ? `\r${piece}` : piece;
    this.#heldReturn = text.endsWith('\r');
    if (this.#heldReturn) text = text.slice(0, -1);
    return text.includes('\r') ? text.replace(/\r\n|\r/g, '\n') : text;
  }

  /** Searches new finished lines for the closing fence. false: still open. */
  #scanFence(fence: Fence): boolean {
    for (;;) {
      const end = this.#source.indexOf('\n', fence.scanned);
      if (end < 0) break;
      const line = this.#source.slice(fence.scanned, end);
      fence.scanned = end + 1;
      if (!fence.close.test(line)) continue;
      this.#fence = null;
      const blocks = lexBlocks(this.#source.slice(this.#frozenEnd, end + 1));
      this.#freeze(blocks, blocks.tokens.length);
      return true;
    }
    this.#showFence(fence);
    return false;
  }

  /** A last line that may become the closing fence is not shown. */
  #showFence(fence: Fence): void {
    const last = this.#source.slice(fence.scanned);
    const hidden = /^ {0,3}(`+|~+) *$/.test(last);
    const end = hidden ? fence.scanned : this.#source.length;
    this.open = {
      type: 'fence',
      language: fence.info,
      code: this.#source.slice(fence.bodyStart, Math.max(fence.bodyStart, end)),
    };
  }

  /** Freezes every block that a later one proves finished. Only whole lines are believed. */
  #freezeFinished(): void {
    const end = this.#source.lastIndexOf('\n') + 1;
    if (end <= this.#frozenEnd) return;
    const blocks = lexBlocks(this.#source.slice(this.#frozenEnd, end));
    const count = finished(blocks);
    if (count > 0) this.#freeze(blocks, count);
  }

  #freeze(blocks: Blocks, count: number): void {
    const tokens = blocks.tokens.slice(0, count);
    for (const token of tokens)
      for (const [label, target] of definitionsIn(token)) this.#define(label, target);
    this.#adoptLinks(this.#frozenLinks);
    blocks.resolve(this.#links);
    for (const token of tokens) {
      // The lexer consumes by length; the characters of `raw` may differ from the source (a lone space becomes a newline).
      const raw = this.#source.slice(this.#frozenEnd, this.#frozenEnd + token.raw.length);
      this.#frozenEnd += token.raw.length;
      const html = renderBlock(token, this.#highlight);
      if (html !== '') this.blocks.push({ raw, html });
    }
  }

  #define(label: string, target: LinkTarget): void {
    if (!this.#frozenLinks.has(label)) this.#frozenLinks.set(label, target);
  }

  #renderOpen(): void {
    const tail = this.#source.slice(this.#frozenEnd);
    const opening = fenceOpening.exec(tail);
    if (opening) {
      const marker = opening[1] ?? '';
      const bodyStart = this.#frozenEnd + opening[0].length;
      const fence: Fence = {
        close: new RegExp(`^ {0,3}${marker.charAt(0)}{${marker.length},} *$`),
        info: (opening[2] ?? '').trim(),
        bodyStart,
        scanned: bodyStart,
      };
      this.#fence = fence;
      if (this.#scanFence(fence)) this.#renderOpen();
      return;
    }
    const blocks = lexBlocks(tail);
    const links = new Map(this.#frozenLinks);
    for (const token of blocks.tokens)
      for (const [label, target] of definitionsIn(token)) if (!links.has(label)) links.set(label, target);
    this.#adoptLinks(links);
    blocks.resolve(links);
    const html = blocks.tokens.map((token) => renderBlock(token, this.#highlight)).join('');
    this.open = html === '' ? none : { type: 'html', html };
  }

  /** Renders frozen blocks again where a definition they may refer to came, went or changed. */
  #adoptLinks(links: Links): void {
    const before = this.#links;
    this.#links = new Map(links);
    const changed = [...new Set([...before.keys(), ...links.keys()])].filter(
      (label) =>
        before.get(label)?.href !== links.get(label)?.href ||
        before.get(label)?.title !== links.get(label)?.title,
    );
    if (changed.length === 0) return;
    for (const [index, block] of this.blocks.entries()) {
      if (!block.raw.includes('[')) continue;
      const again = lexBlocks(block.raw);
      again.resolve(this.#links);
      const html = again.tokens.map((token) => renderBlock(token, this.#highlight)).join('');
      if (html === block.html) continue;
      this.blocks[index] = { raw: block.raw, html };
      this.rewritten.add(index);
    }
  }
}

/** How many blocks at the start no later line can change. A definition may still get a title from the lines under it. */
const finished = ({ tokens }: Blocks): number => {
  const last = tokens.findLastIndex((token) => token.type !== 'space');
  return Math.max(0, tokens[last - 1]?.type === 'def' ? last - 1 : last);
};

/** The blocks of a finished text, in one go, without the incremental path. */
export const wholeHtml = (source: string, highlight: Highlight): string[] => {
  const blocks = lexBlocks(source.replace(/\r\n|\r/g, '\n'));
  const links = new Map<string, LinkTarget>();
  for (const token of blocks.tokens)
    for (const [label, target] of definitionsIn(token)) if (!links.has(label)) links.set(label, target);
  blocks.resolve(links);
  return blocks.tokens.map((token) => renderBlock(token, highlight)).filter((html) => html !== '');
};
