import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testFolder } from '../test/harness.ts';
import { readWindow } from './read-window.ts';

it('gives every byte of any text once, whatever the limits (property)', async () => {
  const path = join(await testFolder(), 'f');
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '\n', '\r', 'ü', '😀'),
    minLength: 1,
    maxLength: 200,
  });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 60 }),
      async (content, lines, characters) => {
        await writeFile(path, content);
        await using file = await open(path);
        const limits = { lines, characters, line_overhead: 1, line_characters: 1_000 };
        let whole = '';
        for (let first = 1; ; ) {
          const window = await readWindow(file, { encoding: 'utf-8', bom: 0 }, { first, last: 1e9 }, limits);
          whole += window.lines.map((line) => line.text + (line.ended ? '\n' : '')).join('');
          first += window.lines.length;
          if (!window.more) break;
          expect(window.lines.length).toBeGreaterThan(0);
        }
        expect(whole).toBe(content);
      },
    ),
    { numRuns: 200 },
  );
});

it('finds lines across chunk borders', async () => {
  const path = join(await testFolder(), 'f');
  const line = `${'x'.repeat(99_999)}\n`;
  await writeFile(path, line.repeat(7));
  await using file = await open(path);
  const limits = { lines: 10, characters: 1e9, line_overhead: 0, line_characters: 1e9 };
  const window = await readWindow(file, { encoding: 'utf-8', bom: 0 }, { first: 3, last: 6 }, limits);
  expect(window.lines.map(({ number, text }) => [number, text.length])).toEqual(
    [3, 4, 5, 6].map((n) => [n, 99_999]),
  );
  expect(window.more).toBe(true);
});
