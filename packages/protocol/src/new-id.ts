/** Makes a new id: 128 random bits behind a short prefix that helps a person reading a log (`ses_…`). */
export const newId = <T extends string>(prefix: string): T =>
  `${prefix}_${globalThis.crypto.randomUUID().replaceAll('-', '')}` as T;
