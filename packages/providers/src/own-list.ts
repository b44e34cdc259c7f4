import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';

export interface OwnListOptions<T> {
  /** A JSON file of the person's own, one object with the list in `field`; may be missing. */
  readonly file: string;
  readonly field: string;
  /** What the file must hold, for the person who wrote something else. */
  readonly form: string;
  /** One entry in a word, for messages: `preset`. */
  readonly word: string;
  readonly entry: z.ZodType<T>;
  readonly shipped: readonly T[];
  /** Told in words, once per version of the file, what of it is not used. */
  readonly report: (problem: string) => void;
}

/**
 * The entries of a file of the person's own, before the shipped ones that none of them replaces by its id. The file is
 * read when it has changed since the last question; until then the answer is the same array. One that cannot be read
 * leaves what was read before in force; a single entry that is wrong is left out and the others are used.
 */
export const createOwnList = <T extends { readonly id: string }>(
  options: OwnListOptions<T>,
): (() => readonly T[]) => {
  const { file, shipped } = options;
  let version = 'none';
  let list = shipped;
  return () => {
    const stat = statSync(file, { throwIfNoEntry: false });
    const now = stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.size}`;
    if (now === version) return list;
    version = now;
    const own = stat === undefined ? [] : read(options);
    if (own === undefined) return list;
    const taken = new Set(own.map(({ id }) => id));
    list = [...own, ...shipped.filter(({ id }) => !taken.has(id))];
    return list;
  };
};

/** undefined: the file as a whole cannot be read. */
const read = <T extends { readonly id: string }>(options: OwnListOptions<T>): T[] | undefined => {
  const { file, field, form, word, entry, report } = options;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    report(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const outer = z.strictObject({ [field]: z.array(z.unknown()) }).safeParse(json);
  if (!outer.success) {
    report(`${file} must hold ${form}.`);
    return undefined;
  }
  const good: T[] = [];
  for (const [place, value] of (outer.data[field] ?? []).entries()) {
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = [field, place, ...(issue?.path ?? [])].join('.');
      report(`${file}: ${where} ${issue?.message ?? 'is not valid'}. This ${word} is not used.`);
    } else if (good.some(({ id }) => id === parsed.data.id)) {
      report(`${file}: ${field}.${place}.id "${parsed.data.id}" is there twice. The second is not used.`);
    } else good.push(parsed.data);
  }
  return good;
};
