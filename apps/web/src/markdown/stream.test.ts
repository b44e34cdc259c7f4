import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MarkdownStream, wholeHtml } from './stream.ts';

const plain = () => null;

/** Lines that open, continue, end and disturb every kind of block. */
const lines = [
  '',
  '',
  '',
  ' ',
  'plain words',
  'more *words* with `code`',
  '# Heading',
  '#hashtag',
  '## Second ##',
  '===',
  '---',
  '- - -',
  '- item',
  '- ',
  '  continued',
  '* star',
  '1. one',
  '2) two',
  '   - nested',
  '    indented',
  '\tindented by tab',
  '> quote',
  '>',
  '> - quoted list',
  'lazy line',
  '```',
  '```ts',
  '````',
  '~~~',
  '~~~ python',
  '``` `x`',
  '   ```',
  'const a = 1;',
  '| a | b |',
  '|---|:-:|',
  '| 1 | 2 |',
  '[ref]',
  '[text][ref]',
  '![pic][ref]',
  '[ref]: https://example.org/x',
  '[ref]: /other "title"',
  '[Ref]: <https://example.org/second>',
  '"title on its own line"',
  '> [ref]: https://quoted.example',
  '<div>',
  '</div>',
  '<b>bold</b> text',
  '<!-- comment',
  '-->',
  '<script>alert(1)</script>',
  '![x](https://evil.example/?q=secret)',
  '[bad](javascript:alert(1))',
  '- [ ] task',
  '- [x] done',
  '**strong** and ~~gone~~',
  'hard  ',
  'back\\',
  '\\# not a heading',
  '&amp; &lt; &copy;',
  '<https://auto.example>',
  'https://bare.example/path',
];

const documents = fc
  .array(fc.tuple(fc.constantFrom(...lines), fc.constantFrom('\n', '\n', '\n', '\n\n', '\r\n', '')), {
    maxLength: 14,
    size: 'max',
  })
  .map((parts) => parts.map(([line, end]) => line + end).join(''));

const cut = (text: string, sizes: readonly number[]): string[] => {
  const pieces: string[] = [];
  let at = 0;
  for (let turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
};

const streamed = (pieces: readonly string[]): string[] => {
  const stream = new MarkdownStream(plain);
  for (const piece of pieces) stream.append(piece);
  stream.finish();
  return stream.blocks.map((block) => block.html);
};

describe('incremental Markdown', () => {
  it('gives the HTML of a whole render, however the text is cut (W5)', () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
        (text, sizes) => {
          expect(streamed(cut(text, sizes)).join('')).toBe(wholeHtml(text, plain).join(''));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('shows at each moment what a whole render of the text so far shows, open fences apart (W5)', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const stream = new MarkdownStream(plain);
        const clean = text.replace(/\r/g, '');
        let seen = '';
        for (const char of clean) {
          seen += char;
          stream.append(char);
          if (stream.open.type === 'fence') continue;
          const open = stream.open.type === 'html' ? stream.open.html : '';
          expect(stream.blocks.map((block) => block.html).join('') + open).toBe(
            wholeHtml(seen, plain).join(''),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('survives any characters at all', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...'`~#-*_>|[]()!<:=+.1 \n\t\\"ab&;'),
          maxLength: 80,
          size: 'max',
        }),
        (text) => {
          expect(streamed(cut(text, [1])).join('')).toBe(wholeHtml(text, plain).join(''));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['a list whose bullet a tab follows, then an underline', '`\n-\t`\n-'],
    ['a label that goes over a heading', '[\n#\n]:`'],
    ['a label that goes over a table', '[text][ref]\n[long\n:-\nlabel]: /y\n'],
    ['a title under its definition', '[ref]: /x\n"a title\nin two lines"\n\n[ref]'],
    ['an indented line before an underline', '[ref]\n\t- x\n-\n[ref]: https://example.org/x\n'],
    ['an indented line before what is nearly a table', 'a\n    b[ref]\n|---|:-:|\n---|\n\n[ref]: /x\n'],
    ['a lone tag at the head of a table', 'words\n</pre>\n:-:\n'],
    ['a lone tag after what is nearly a table', ':-|-\n</pre>\n-\n'],
  ])('takes no finished block back: %s (W5)', (_name, text) => {
    expect(streamed(cut(text, [1])).join('')).toBe(wholeHtml(text, plain).join(''));
  });

  it('ends a paragraph at a list whose bullet a tab follows, and keeps its underlined headings', () => {
    expect(wholeHtml('words\n-\titem\n---', plain).join('')).toBe(
      '<p>words</p>\n<ul>\n<li>item</li>\n</ul>\n<hr>\n',
    );
    expect(wholeHtml('words\n    more\n---', plain).join('')).toBe('<h2>words\n    more</h2>\n');
  });

  it('does not parse finished blocks again', () => {
    const stream = new MarkdownStream(plain);
    stream.append('one\n\ntwo\n\nthree');
    const first = stream.blocks[0];
    stream.append(' and more words\n\nfour');
    expect(stream.blocks[0]).toBe(first);
    expect(stream.blocks).toHaveLength(2);
  });

  it('shows an open fence as text and hides a line that may close it', () => {
    const stream = new MarkdownStream(plain);
    stream.append('````ts\nconst a = 1;\n```\n``');
    expect(stream.open).toEqual({ type: 'fence', language: 'ts', code: 'const a = 1;\n```\n' });
    stream.append('``\nafter');
    expect(stream.blocks).toHaveLength(1);
    expect(stream.open).toEqual({ type: 'html', html: '<p>after</p>\n' });
  });

  it('renders an earlier reference again when its definition arrives', () => {
    const stream = new MarkdownStream(plain);
    stream.append('See [the paper][p].\n\nText.\n\n');
    expect(stream.blocks[0]?.html).not.toContain('<a');
    stream.append('[p]: https://example.org/paper\n');
    expect(stream.blocks[0]?.html).toContain('href="https://example.org/paper"');
    expect([...stream.rewritten]).toEqual([0]);
  });

  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['[x](javascript:alert(1))', 'dead-link'],
    ['![x](https://evil.example/?q=secret)', 'Open image “x” from evil.example'],
  ])('never lets %s act', (source, expected) => {
    const html = wholeHtml(source, plain).join('');
    expect(html).toContain(expected);
    expect(html).not.toMatch(/<img|href="javascript|<script/);
  });
});
