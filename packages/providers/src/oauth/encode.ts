/** Names and values in the order they are sent. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/** As forms are written: a space is `+`. */
export const formOf = (pairs: Pairs): string =>
  new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();

/** As `encodeURIComponent` writes it: a space is `%20`. */
export const queryOf = (pairs: Pairs): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
