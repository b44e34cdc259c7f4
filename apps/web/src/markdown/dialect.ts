import { Lexer, Parser, Renderer, type Token, Tokenizer, type Tokens } from 'marked';
import { escapeHtml, safeHref, safeImage } from './safe.ts';

export interface LinkTarget {
  readonly href: string;
  readonly title: string | null;
}
/** Link reference definitions by normalised label; the first definition of a label wins. */
export type Links = ReadonlyMap<string, LinkTarget>;
/** Highlighted HTML of `code`, or null where the language is not known. */
export type Highlight = (code: string, language: string) => string | null;

const tagEnd = '\u0000';
/** Ends a paragraph as the rule of the dialect does, tables apart. */
const plainParagraph = Lexer.rules.block.normal.paragraph;

/**
 * The library's blocks, but none that takes a finished one back when a later line arrives: its rules of definitions
 * and underlined headings reach over what ends a paragraph.
 */
class DialectTokenizer extends Tokenizer {
  #count = 0;

  /** Every definition has a tag of its own, so that the lexer drops none and the raws add up to the source. */
  override def(src: string): Tokens.Def | undefined {
    if (!/^ {0,3}\[/.test(src) || this.#startsTable(src)) return undefined;
    const token = super.def(this.#underlined(src) ?? this.#paragraph(src));
    if (!token) return undefined;
    this.#count += 1;
    return { ...token, tag: `${token.tag}${tagEnd}${this.#count}` };
  }

  override lheading(src: string): Tokens.Heading | undefined {
    // Right after a paragraph stand only lines that the library cut from it: they are no start of a heading.
    if (this.lexer.state.lastToken?.type === 'paragraph') return undefined;
    return this.#underlined(src) === undefined ? undefined : super.lheading(src);
  }

  /** Indented lines under a paragraph are its own, as they stand. */
  override code(src: string): Tokens.Code | undefined {
    return this.lexer.state.lastToken?.type === 'paragraph' ? undefined : super.code(src);
  }

  /** None begins with an indented line: alone that is code, and a block must be the same alone as under a paragraph. */
  override table(src: string): Tokens.Table | undefined {
    return /^(?: {4}| {0,3}\t)/.test(src) ? undefined : super.table(src);
  }

  /** A lone tag ends no paragraph, yet after one a table may begin with it: so that one may, whatever stands before. */
  override html(src: string): Tokens.HTML | undefined {
    const token = super.html(src);
    const lone = token && !this.rules.other.htmlBeginRegex(4).test(src);
    return lone && this.#startsTable(src) ? undefined : token;
  }

  /** The text before an underline, where the underline belongs to the paragraph that `src` begins with. */
  #underlined(src: string): string | undefined {
    const text = this.rules.block.lheading.exec(src)?.[1];
    return text !== undefined && this.#paragraph(src).length >= text.length ? text : undefined;
  }

  /** All of the paragraph that `src` begins with. The library's rule ends one before lines that only look like a table. */
  #paragraph(src: string): string {
    const longest = plainParagraph.exec(src)?.[0].length ?? 0;
    let end = this.rules.block.paragraph.exec(src)?.[0].length ?? 0;
    while (end < longest) {
      const rest = src.slice(end + 1);
      if (this.#startsTable(rest)) break;
      end += 1 + (this.rules.block.paragraph.exec(rest)?.[0].length ?? 0);
    }
    return src.slice(0, end);
  }

  #startsTable(src: string): boolean {
    const { inlineQueue } = this.lexer;
    const { length } = inlineQueue;
    const found = this.table(src) !== undefined;
    inlineQueue.length = length;
    return found;
  }
}

/** Source whose blocks are known and whose inline content is not parsed yet: references may still be missing. */
export interface Blocks {
  readonly tokens: readonly Token[];
  /** Parses the inline content of all blocks. To be called once, before rendering. */
  resolve(links: Links): void;
}

/** `source` holds no carriage returns. */
export const lexBlocks = (source: string): Blocks => {
  const lexer = new Lexer({ gfm: true, tokenizer: new DialectTokenizer() });
  lexer.blockTokens(source, lexer.tokens);
  return {
    tokens: lexer.tokens,
    resolve: (links) => {
      lexer.tokens.links = Object.assign(Object.create(null), Object.fromEntries(links));
      for (const next of lexer.inlineQueue) {
        lexer.state.inRawBlock = false;
        lexer.inlineTokens(next.src, next.tokens);
      }
      lexer.inlineQueue = [];
    },
  };
};

/** The definitions inside a block, in order, quoted and listed ones included. */
export const definitionsIn = (token: Token): [string, LinkTarget][] => {
  if (!token.raw.includes(']:')) return [];
  if (token.type === 'def')
    return [[token.tag.split(tagEnd)[0] ?? '', { href: token.href, title: token.title ?? null }]];
  const inner: Token[] = token.type === 'list' ? token.items : 'tokens' in token ? (token.tokens ?? []) : [];
  return inner.flatMap(definitionsIn);
};

const languageOf = (info: string | undefined): string => /^[\w+#.-]{1,30}/.exec(info ?? '')?.[0] ?? '';

/** A code block: its language, a copy button (wired by delegation) and the code, which scrolls sideways. */
export const codeHtml = (code: string, info: string | undefined, highlight: Highlight): string => {
  const language = languageOf(info);
  const body = (language && highlight(code, language)) || escapeHtml(code);
  return (
    `<div class="code"><div class="code-head"><span>${escapeHtml(language || 'text')}</span>` +
    '<button type="button" class="code-copy">Copy</button></div>' +
    `<pre tabindex="0"><code>${body}</code></pre></div>`
  );
};

class DialectRenderer extends Renderer {
  readonly #highlight: Highlight;
  constructor(highlight: Highlight) {
    super();
    this.#highlight = highlight;
  }
  override code(token: Tokens.Code): string {
    return codeHtml(token.text.replace(/\n$/, ''), token.lang, this.#highlight);
  }
  override html(token: Tokens.HTML | Tokens.Tag): string {
    const block = token.type === 'html' && 'block' in token && token.block;
    const text = escapeHtml(token.raw.replace(/\n+$/, ''));
    return block ? `<p class="raw">${text}</p>` : escapeHtml(token.raw);
  }
  override link(token: Tokens.Link): string {
    const text = this.parser.parseInline(token.tokens);
    const href = safeHref(token.href);
    const title = token.title ? ` title="${escapeHtml(token.title)}"` : '';
    if (!href) return `<span class="dead-link" title="${escapeHtml(token.href)}">${text}</span>`;
    return `<a href="${escapeHtml(href)}"${title} target="_blank" rel="noopener noreferrer">${text}</a>`;
  }
  override image(token: Tokens.Image): string {
    const label = escapeHtml(token.text || 'image');
    if (safeImage(token.href)) return `<img src="${escapeHtml(token.href)}" alt="${label}">`;
    const href = safeHref(token.href);
    if (!href) return `<span class="dead-link" title="${escapeHtml(token.href)}">${label}</span>`;
    const host = escapeHtml(new URL(href).host);
    return `<a class="remote-image" href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer">Open image “${label}” from ${host}</a>`;
  }
  override checkbox(token: Tokens.Checkbox): string {
    return `<input type="checkbox" disabled aria-label="${token.checked ? 'done' : 'to do'}"${token.checked ? ' checked' : ''}> `;
  }
  override table(token: Tokens.Table): string {
    return `<div class="table-wrap" tabindex="0">${super.table(token)}</div>`;
  }
}

/** The HTML of one top-level block after `resolve`. Raw HTML of the source is escaped, never passed on. */
export const renderBlock = (token: Token, highlight: Highlight): string => {
  if (token.type === 'space' || token.type === 'def') return '';
  return new Parser({ gfm: true, renderer: new DialectRenderer(highlight) }).parse([token]);
};
