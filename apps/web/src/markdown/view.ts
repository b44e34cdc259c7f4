import { codeHtml, type Highlight } from './dialect.ts';
import { sanitize } from './sanitize.ts';
import { MarkdownStream, type Open } from './stream.ts';

/** Least time between two highlights of an open fence, ms; more where one is dear. */
const highlightEvery = 200;

const fill = (element: HTMLElement, html: string): void => {
  element.textContent = '';
  element.append(sanitize(html));
};

/**
 * Keeps an element in step with growing Markdown. Finished blocks are never touched again; an open fence grows by
 * appending to a text node, and its finished lines are highlighted at most every 200 ms or ten times the last cost.
 */
export class MarkdownView {
  readonly #root: HTMLElement;
  readonly #highlight: Highlight;
  readonly #elements: HTMLElement[] = [];
  #stream: MarkdownStream;
  #text = '';
  #finished = false;
  #open: HTMLElement | null = null;
  #openHtml = '';
  #fence: FenceView | null = null;

  constructor(root: HTMLElement, highlight: Highlight) {
    this.#root = root;
    this.#highlight = highlight;
    this.#stream = new MarkdownStream(highlight);
  }

  /** Shows `text`. Text that only grew costs its growth; any other change starts anew. */
  update(text: string, finished: boolean): void {
    if (this.#finished ? text !== this.#text : !text.startsWith(this.#text)) this.reset();
    if (!this.#finished) {
      this.#stream.append(text.slice(this.#text.length));
      if (finished) this.#stream.finish();
    }
    this.#text = text;
    this.#finished = finished;
    this.#show();
  }

  /** Empties the view; the next `update` renders all of its text again. */
  reset(): void {
    this.#root.textContent = '';
    this.#elements.length = 0;
    this.#stream = new MarkdownStream(this.#highlight);
    this.#text = '';
    this.#finished = false;
    this.#open = null;
    this.#openHtml = '';
    this.#fence = null;
  }

  #show(): void {
    const { blocks, rewritten, open } = this.#stream;
    for (const index of rewritten) {
      const element = this.#elements[index];
      if (element) fill(element, blocks[index]?.html ?? '');
    }
    rewritten.clear();
    for (const block of blocks.slice(this.#elements.length)) {
      const element = this.#takeOpen(block.html);
      this.#elements.push(element);
    }
    this.#showOpen(open);
  }

  /** The open element becomes the frozen one, so that a selection in it lives on where nothing changed. */
  #takeOpen(html: string): HTMLElement {
    const element = this.#open ?? this.#newBlock();
    if (this.#openHtml !== html) fill(element, html);
    this.#open = null;
    this.#openHtml = '';
    this.#fence = null;
    return element;
  }

  #newBlock(): HTMLElement {
    const element = document.createElement('div');
    element.className = 'md-block';
    this.#root.append(element);
    return element;
  }

  #showOpen(open: Open): void {
    if (open.type === 'none') {
      this.#open?.remove();
      this.#open = null;
      this.#openHtml = '';
      this.#fence = null;
      return;
    }
    this.#open ??= this.#newBlock();
    if (open.type === 'html') {
      this.#fence = null;
      if (this.#openHtml !== open.html) fill(this.#open, open.html);
      this.#openHtml = open.html;
      return;
    }
    this.#openHtml = '';
    this.#fence ??= new FenceView(this.#open, open.language, this.#highlight);
    this.#fence.update(open.code);
  }
}

class FenceView {
  readonly #highlight: Highlight;
  readonly #language: string;
  readonly #done: HTMLElement;
  readonly #tail: Text;
  #doneLength = 0;
  #shown = '';
  #next = 0;

  constructor(element: HTMLElement, info: string, highlight: Highlight) {
    this.#highlight = highlight;
    this.#language = /^[\w+#.-]+/.exec(info)?.[0] ?? '';
    fill(
      element,
      codeHtml('', info, () => null),
    );
    this.#done = document.createElement('span');
    this.#tail = document.createTextNode('');
    element.querySelector('code')?.append(this.#done, this.#tail);
  }

  update(code: string): void {
    if (code.startsWith(this.#shown)) this.#tail.appendData(code.slice(this.#shown.length));
    else this.#tail.data = code.slice(this.#doneLength);
    this.#shown = code;
    const now = performance.now();
    if (this.#language && now >= this.#next) this.#highlightLines(code, now);
  }

  #highlightLines(code: string, now: number): void {
    const end = code.lastIndexOf('\n') + 1;
    if (end <= this.#doneLength) return;
    const html = this.#highlight(code.slice(0, end), this.#language);
    if (html === null) return;
    fill(this.#done, html);
    this.#doneLength = end;
    this.#tail.data = code.slice(end);
    const spent = performance.now() - now;
    this.#next = now + Math.max(highlightEvery, 10 * spent);
  }
}
