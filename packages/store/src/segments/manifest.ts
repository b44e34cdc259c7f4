/**
 * A manifest lists the parts of one request body: `s<hex sha-256>` for a segment, `g<latin-1 bytes>` for glue. It is
 * kept as the difference to the manifest before it: what the two share at the start and at the end is only counted.
 */
export type Manifest = readonly string[];

export interface Difference {
  /** How many differences lie between this and a whole manifest. */
  readonly depth: number;
  readonly prefix: number;
  readonly suffix: number;
  readonly parts: Manifest;
}

const VERSION = 1;
const GLUE = 0;
const SEGMENT = 1;

export const difference = (base: Manifest, next: Manifest, depth: number): Difference => {
  const shorter = Math.min(base.length, next.length);
  let prefix = 0;
  while (prefix < shorter && base[prefix] === next[prefix]) prefix++;
  let suffix = 0;
  while (suffix < shorter - prefix && base[base.length - 1 - suffix] === next[next.length - 1 - suffix])
    suffix++;
  return { depth, prefix, suffix, parts: next.slice(prefix, next.length - suffix) };
};

export const applyDifference = (base: Manifest, change: Difference): Manifest => [
  ...base.slice(0, change.prefix),
  ...change.parts,
  ...base.slice(base.length - change.suffix),
];

export const encode = (change: Difference): Buffer => {
  const out: Buffer[] = [
    Buffer.from([VERSION]),
    ...[change.depth, change.prefix, change.suffix, change.parts.length].map(varint),
  ];
  for (const part of change.parts) {
    if (part.startsWith('s')) out.push(Buffer.from([SEGMENT]), Buffer.from(part.slice(1), 'hex'));
    else {
      const bytes = Buffer.from(part.slice(1), 'latin1');
      out.push(Buffer.from([GLUE]), varint(bytes.length), bytes);
    }
  }
  return Buffer.concat(out);
};

export const decode = (bytes: Buffer): Difference => {
  if (bytes[0] !== VERSION) throw new Error(`A request manifest has the unknown version ${bytes[0]}.`);
  let at = 1;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const [depth, prefix, suffix, count] = [number(), number(), number(), number()];
  const parts: string[] = [];
  while (parts.length < count)
    parts.push(
      take(1)[0] === SEGMENT ? `s${take(32).toString('hex')}` : `g${take(number()).toString('latin1')}`,
    );
  return { depth, prefix, suffix, parts };
};

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
};
