/** How a text file's bytes become characters. `latin1` stands for every 8-bit text that is not UTF-8. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1';

/** `bom`: bytes of the byte order mark at the start. */
export type FileKind =
  | { type: 'text'; encoding: Encoding; bom: number }
  | { type: 'image'; media_type: string }
  | { type: 'binary'; what: string };

/** Bytes from the start of a file that `fileKind` wants to see. */
export const headBytes = 65_536;

const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));

/** Signatures at an offset; from the file formats' own specifications. */
const images: readonly (readonly [string, number, readonly number[]])[] = [
  ['image/png', 0, [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a]],
  ['image/jpeg', 0, [0xff, 0xd8, 0xff]],
  ['image/gif', 0, ascii('GIF8')],
  ['image/webp', 8, ascii('WEBP')],
];
const binaries: readonly (readonly [string, number, readonly number[]])[] = [
  ['a PDF document', 0, ascii('%PDF-')],
  ['a ZIP archive (or a format built on it: docx, xlsx, jar)', 0, [...ascii('PK'), 3, 4]],
  ['a gzip archive', 0, [0x1f, 0x8b]],
  ['a bzip2 archive', 0, ascii('BZh')],
  ['an xz archive', 0, [0xfd, ...ascii('7zXZ')]],
  ['a Zstandard archive', 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ['a 7-Zip archive', 0, [...ascii('7z'), 0xbc, 0xaf]],
  ['a tar archive', 257, ascii('ustar')],
  ['an ELF program', 0, [0x7f, ...ascii('ELF')]],
  ['a macOS program', 0, [0xcf, 0xfa, 0xed, 0xfe]],
  ['a WebAssembly module', 0, [0, ...ascii('asm')]],
  ['an SQLite database', 0, ascii('SQLite format 3')],
  ['a RIFF media file (WAV, AVI)', 0, ascii('RIFF')],
  ['an MP4 or similar media file', 4, ascii('ftyp')],
  ['an Ogg media file', 0, ascii('OggS')],
  ['an MP3 file', 0, ascii('ID3')],
  ['a bitmap image', 0, [...ascii('BM'), -1, -1, -1, -1, 0, 0, 0, 0]],
  ['a TIFF image', 0, [0x49, 0x49, 0x2a, 0]],
  ['a TIFF image', 0, [0x4d, 0x4d, 0, 0x2a]],
];

/** -1 in a signature stands for any byte. */
const has = (head: Uint8Array, at: number, bytes: readonly number[]): boolean =>
  head.length >= at + bytes.length && bytes.every((byte, index) => byte === -1 || head[at + index] === byte);

/** Tells what a file is from its first bytes, never from its name. */
export const fileKind = (head: Uint8Array): FileKind => {
  const image = images.find(([, at, bytes]) => has(head, at, bytes));
  if (image) return { type: 'image', media_type: image[0] };
  const binary = binaries.find(([, at, bytes]) => has(head, at, bytes));
  if (binary) return { type: 'binary', what: binary[0] };
  if (has(head, 0, [0xef, 0xbb, 0xbf])) return { type: 'text', encoding: 'utf-8', bom: 3 };
  if (has(head, 0, [0xff, 0xfe, 0, 0])) return { type: 'binary', what: 'UTF-32 text' };
  if (has(head, 0, [0xff, 0xfe])) return { type: 'text', encoding: 'utf-16le', bom: 2 };
  if (has(head, 0, [0xfe, 0xff])) return { type: 'text', encoding: 'utf-16be', bom: 2 };
  if (head.includes(0)) return { type: 'binary', what: 'binary data' };
  return { type: 'text', encoding: isUtf8Start(head) ? 'utf-8' : 'latin1', bom: 0 };
};

/** true for UTF-8, also where the last character is cut off. */
const isUtf8Start = (head: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
};
