/** An address as people type it (`localhost:1234/`) with its scheme, without the slashes at its end. */
export const withScheme = (typed: string): string => {
  const trimmed = typed.trim().replace(/\/+$/, '');
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
};

/** The same without a version at its end, for wires whose paths hold the version themselves. */
export const withoutVersion = (typed: string, versions: RegExp): string =>
  withScheme(typed).replace(versions, '');
