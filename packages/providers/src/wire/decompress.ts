import { PassThrough, pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { WireError } from './wire.ts';

/**
 * The body as plain bytes. Every chunk is given out as soon as it can be decoded. An unknown encoding is an error of
 * kind `garbage`, a wrong or unfinished stream is the decoder's own error.
 */
export const decompress = (body: Readable, contentEncoding: string | undefined): Readable => {
  const encodings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (encodings.length === 0) return body;
  const steps = encodings.reverse().map(decoder);
  const last = steps.at(-1) ?? new PassThrough();
  // The error reaches the reader through `last`, which pipeline destroys with it.
  pipeline([body, ...steps], (error) => {
    if (error && !last.destroyed) last.destroy(error);
  });
  return last;
};

const decoder = (name: string): Transform => {
  if (name === 'gzip' || name === 'x-gzip') return createGunzip({ flush: constants.Z_SYNC_FLUSH });
  if (name === 'br') return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH });
  if (name === 'zstd') return createZstdDecompress();
  if (name === 'deflate') return createDeflate();
  throw new WireError('garbage', `the answer is compressed with ${name}, which was not asked for`);
};

/** `deflate` is a zlib stream by the rules and a raw one by the habit of some servers: its first two bytes tell. */
const createDeflate = (): Transform => {
  let inner: Transform | undefined;
  let head = Buffer.alloc(0);
  const begin = (outer: Transform): Transform => {
    const [first = 0, second = 0] = head;
    const zlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
    const made = (zlib ? createInflate : createInflateRaw)({ flush: constants.Z_SYNC_FLUSH });
    made.on('data', (chunk: Buffer) => outer.push(chunk));
    made.on('error', (error) => outer.destroy(error));
    return made;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      if (inner) {
        inner.write(chunk, done);
        return;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length < 2) {
        done();
        return;
      }
      inner = begin(this);
      inner.write(head, done);
    },
    flush(done: TransformCallback) {
      if (!inner) {
        done();
        return;
      }
      inner.once('end', () => done());
      inner.end();
    },
    destroy(error, done) {
      inner?.destroy();
      done(error);
    },
  });
};
