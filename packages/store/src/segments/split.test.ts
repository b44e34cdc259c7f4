import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDifference, decode, difference, encode } from './manifest.ts';
import { split } from './split.ts';

const joined = (body: Buffer) => Buffer.concat(split(body).map((part) => part.bytes));
const segments = (body: unknown) =>
  split(Buffer.from(JSON.stringify(body)))
    .filter((part) => part.type === 'segment')
    .map((part) => part.bytes.toString());

const long = (word: string) => word.repeat(100);

describe('split', () => {
  it('gives back any bytes unchanged (S5)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) =>
        joined(Buffer.from(bytes)).equals(Buffer.from(bytes)),
      ),
    );
  });

  it('gives back any JSON and any cut-off JSON unchanged (S5)', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(), fc.constantFrom(0, 2), (text, cut, indent) => {
        const body = Buffer.from(JSON.stringify(JSON.parse(text), null, indent));
        const short = body.subarray(0, cut % (body.length + 1));
        return joined(body).equals(body) && joined(short).equals(short);
      }),
    );
  });

  it('cuts at the elements of top-level arrays and at a long system prompt', () => {
    const message = { role: 'user', content: [{ type: 'text', text: long('a "quoted" \\ text') }] };
    const tool = { name: 'read', input_schema: { type: 'object', description: long('words') } };
    expect(
      segments({ model: 'm', system: long('be brief '), messages: [message, message], tools: [tool] }),
    ).toEqual([
      JSON.stringify(long('be brief ')),
      JSON.stringify(message),
      JSON.stringify(message),
      JSON.stringify(tool),
    ]);
  });

  it('cuts at the elements of arrays inside objects, as Gemini nests them', () => {
    const part = { text: long('system') };
    const content = { role: 'model', parts: [{ text: long('hello') }] };
    expect(segments({ systemInstruction: { parts: [part] }, request: { contents: [content] } })).toEqual([
      JSON.stringify(part),
      JSON.stringify(content),
    ]);
  });
});

describe('manifest', () => {
  const manifest = fc.array(
    fc.oneof(
      fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((bytes) => `s${Buffer.from(bytes).toString('hex')}`),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => `g${Buffer.from(bytes).toString('latin1')}`),
    ),
  );

  it('comes back from its difference to any other (S5)', () => {
    fc.assert(
      fc.property(manifest, manifest, manifest, fc.nat(40), (start, middle, end, depth) => {
        const base = [...start, ...end];
        const next = [...start, ...middle, ...end];
        const change = decode(encode(difference(base, next, depth)));
        expect(applyDifference(base, change)).toEqual(next);
        expect(change.depth).toBe(depth);
      }),
    );
  });

  it('of a longer request holds only what was added', () => {
    const base = Array.from({ length: 500 }, (_, n) => `s${n.toString(16).padStart(64, '0')}`);
    expect(encode(difference(base, [...base, `s${'f'.repeat(64)}`], 1)).length).toBeLessThan(50);
  });
});
