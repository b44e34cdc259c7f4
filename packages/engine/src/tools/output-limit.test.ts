import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitText } from './output-limit.ts';

describe('limiting what a model is given of an output (A5)', () => {
  it('leaves a short text alone', () => {
    expect(limitText('short', 100)).toEqual({ text: 'short' });
  });
  it('keeps the beginning and the end, counts what it left out and keeps the whole', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1200, maxLength: 4000, unit: 'binary' }), (whole) => {
        const cut = limitText(whole, 1000);
        expect(cut.whole).toBe(whole);
        const [, head = '', left = '', tail = ''] =
          /^([\s\S]*)\n\[… (\d+) characters left out here …\]\n([\s\S]*)$/.exec(cut.text) ?? [];
        expect(whole.startsWith(head)).toBe(true);
        expect(whole.endsWith(tail)).toBe(true);
        expect(head.length + Number(left) + tail.length).toBe(whole.length);
        expect(cut.text.isWellFormed() || !whole.isWellFormed()).toBe(true);
      }),
    );
  });
});
