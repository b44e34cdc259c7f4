import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../codec.ts';
import { createNdjson, createSse, type Framing } from './framing.ts';
import { WireError } from './wire.ts';

const whole = (framing: Framing, bytes: Uint8Array): Frame[] => [...framing.push(bytes), ...framing.end()];
const sse = (text: string): Frame[] => whole(createSse(), Buffer.from(text));
const ndjson = (text: string): Frame[] => whole(createNdjson(), Buffer.from(text));

/** Feeds `bytes` cut at the given places. */
const inPieces = (framing: Framing, bytes: Uint8Array, cuts: readonly number[]): Frame[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const frames: Frame[] = [];
  let from = 0;
  for (const to of [...places, bytes.length]) {
    frames.push(...framing.push(bytes.subarray(from, to)));
    from = to;
  }
  return [...frames, ...framing.end()];
};

describe('server-sent events (P10)', () => {
  it('reads event and data, dropping one leading space', () => {
    expect(sse('event: a\ndata: x\n\ndata:  y\n\n')).toEqual([{ event: 'a', data: 'x' }, { data: ' y' }]);
  });
  it('joins several data lines', () => {
    expect(sse('data: 1\ndata\ndata: 2\n\n')).toEqual([{ data: '1\n\n2' }]);
  });
  it('takes CR, LF and CRLF as line ends, mixed', () => {
    expect(sse('data: 1\r\rdata: 2\r\n\r\ndata: 3\n\r\n')).toEqual([
      { data: '1' },
      { data: '2' },
      { data: '3' },
    ]);
  });
  it('reads over comments, ids, retry times and unknown fields', () => {
    expect(sse(': ping\nid: 1\nretry: 5\nother: z\ndata: x\n\n')).toEqual([{ data: 'x' }]);
  });
  it('forgets an event without data', () => {
    expect(sse('event: a\n\ndata: x\n\n')).toEqual([{ data: 'x' }]);
  });
  it('drops a byte order mark at the start only', () => {
    expect(sse('\ufeffdata: x\n\ndata: \ufeffy\n\n')).toEqual([{ data: 'x' }, { data: '\ufeffy' }]);
  });
  it('gives out an event with its blank line, not with the next byte', () => {
    const framing = createSse();
    expect(framing.push(Buffer.from('data: x\r\n\r'))).toEqual([{ data: 'x' }]);
    expect(framing.push(Buffer.from('\ndata: y\r\r'))).toEqual([{ data: 'y' }]);
  });
  it('completes the last event of a body whose server forgot the blank line', () => {
    expect(sse('data: x\n\ndata: [DONE]')).toEqual([{ data: 'x' }, { data: '[DONE]' }]);
  });
  it('refuses a line and an event without bound, typed', () => {
    const long = createSse(10);
    expect(() => long.push(Buffer.from('data: 12345'))).toThrow(WireError);
    const many = createSse(20);
    many.push(Buffer.from('data: 123456789\n'));
    expect(() => many.push(Buffer.from('data: 123456789\ndata: 1\n'))).toThrow(/longer than 20/);
  });

  const line = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .map((text) => text.replace(/[\r\n\0\ufeff]/g, ''));
  const event = fc.record({
    event: fc.option(
      line.filter((text) => text !== '' && !text.startsWith(' ')),
      { nil: undefined },
    ),
    data: fc.array(line, { minLength: 1, maxLength: 4 }),
    end: fc.constantFrom('\n', '\r', '\r\n'),
    comment: fc.boolean(),
  });
  it('reads the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        (events, cuts) => {
          const text = events
            .map(({ event: name, data, end, comment }) =>
              [
                ...(comment ? [': c'] : []),
                ...(name === undefined ? [] : [`event: ${name}`]),
                ...data.map((value) => `data: ${value}`),
                '',
                '',
              ].join(end),
            )
            .join('');
          const expected = events.map(({ event: name, data }) => ({
            ...(name !== undefined && { event: name }),
            data: data.join('\n'),
          }));
          expect(inPieces(createSse(), Buffer.from(text), cuts)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
  it('reads the same frames byte by byte, inside UTF-8 sequences too', () => {
    const bytes = Buffer.from('data: zażółć 🦊👩‍👩‍👧\r\n\r\nevent: ü\rdata: 語\r\r');
    const everywhere = [...bytes.keys()];
    expect(inPieces(createSse(), bytes, everywhere)).toEqual([
      { data: 'zażółć 🦊👩‍👩‍👧' },
      { event: 'ü', data: '語' },
    ]);
  });
  it('stays linear in a line that arrives in many pieces', () => {
    const framing = createSse();
    const piece = Buffer.alloc(1_000, 'x');
    const began = performance.now();
    framing.push(Buffer.from('data: '));
    for (let i = 0; i < 16_000; i += 1) framing.push(piece);
    const [frame] = framing.push(Buffer.from('\n\n'));
    expect(frame?.data.length).toBe(16_000_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('newline-delimited JSON (P10)', () => {
  it('gives one frame a line, without blank ones', () => {
    expect(ndjson('{"a":1}\n\r\n  \n{"b":2}')).toEqual([{ data: '{"a":1}' }, { data: '{"b":2}' }]);
  });
  it('reads the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(), { maxLength: 60 }),
        (values, end, cuts) => {
          const lines = values.map((value) => JSON.stringify(value));
          const bytes = Buffer.from(lines.map((text) => text + end).join(''));
          expect(inPieces(createNdjson(), bytes, cuts)).toEqual(lines.map((data) => ({ data })));
        },
      ),
    );
  });
});
