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

/** Gives every definition a tag of its own, so that the lexer drops none and the raws add up to the source. */
class DialectTokenizer extends Tokenizer {
  #count = 0;
  override def(src: string): Tokens.Def | undefined {
    const token = super.def(src);
    if (!token) return undefined;
    this.#count += 1;
    return { ...token, tag: `${token.tag}${tagEnd}${this.#count}` };
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
