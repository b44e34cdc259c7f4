import { type Encoding, fileKind, headBytes } from './file-kind.ts';

/** A whole text file: `encodeText(decodeText(bytes))` gives the same bytes. */
export interface TextFile {
  /** Without the byte order mark. */
  readonly text: string;
  readonly encoding: Encoding;
  readonly bom: Uint8Array;
}

/** The file's text; otherwise what it is instead (`an ELF program`). */
export const decodeText = (bytes: Uint8Array): TextFile | { readonly not_text: string } => {
  const kind = fileKind(bytes.subarray(0, headBytes));
  if (kind.type === 'image') return { not_text: `an image (${kind.media_type})` };
  if (kind.type === 'binary') return { not_text: kind.what };
  const bom = bytes.subarray(0, kind.bom);
  const body = bytes.subarray(kind.bom);
  if (kind.encoding !== 'latin1') {
    const text = strictly(kind.encoding, body);
    if (text !== undefined) return { text, encoding: kind.encoding, bom };
    if (kind.encoding !== 'utf-8' || kind.bom > 0)
      return { not_text: `broken ${kind.encoding.toUpperCase()} text` };
  }
  return { text: Buffer.from(body).toString('latin1'), encoding: 'latin1', bom };
};

const strictly = (encoding: Encoding, bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};

/** The bytes of `text` in the file's encoding; the first character it cannot hold otherwise. */
export const encodeText = (
  text: string,
  { encoding, bom }: Pick<TextFile, 'encoding' | 'bom'>,
): { readonly bytes: Uint8Array } | { readonly unfit: string } => {
  const unfit = encoding === 'latin1' ? /[^\0-\xff]/u.exec(text)?.[0] : undefined;
  if (unfit !== undefined) return { unfit };
  const body = Buffer.from(
    text,
    encoding === 'utf-8' ? 'utf8' : encoding === 'latin1' ? 'latin1' : 'utf16le',
  );
  return { bytes: Buffer.concat([bom, encoding === 'utf-16be' ? body.swap16() : body]) };
};
