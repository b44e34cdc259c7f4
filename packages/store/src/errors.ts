/** The database does not answer, is full, or is shutting down. The change was not made, or its outcome is unknown: repeat it with the same ids. */
export class StoreUnavailable extends Error {
  readonly code = 'unavailable';
  constructor(cause: unknown) {
    super(`The database does not take this now: ${explain(cause)}`, { cause });
    this.name = 'StoreUnavailable';
  }
}

/** A start that cannot go on. The message says what is wrong and what to do. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}

/** The code of a system or PostgreSQL error, or ''. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Some libraries tell of an error by a plain object with its message. */
export const messageOf = (error: unknown): string => {
  const said = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(said);
};

const systemCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const fileReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'part of its path is a file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not do that',
  EPERM: 'this user may not do that',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENAMETOOLONG: 'its name is too long',
};
/** What the operating system says of a file, in words. */
export const fileReason = (error: unknown): string => fileReasons[codeOf(error)] ?? messageOf(error);

/** Class 08 connection, 53 resources (disk full, too many connections), 58 system; 57P01-57P05 shutdown; 57014 our time-out; 25006 read-only standby. */
const sqlStates = /^(08|53|58)|^57P0[1-5]$|^57014$|^25006$/;
const clientMessages =
  /^Connection terminated|^Query read timeout|^timeout exceeded when trying to connect|^Client (was closed|has encountered)|after calling end on the pool|^connection is closed/i;

export const isUnavailable = (error: unknown): boolean =>
  error instanceof StoreUnavailable ||
  systemCodes.has(codeOf(error)) ||
  sqlStates.test(codeOf(error)) ||
  (error instanceof Error && clientMessages.test(error.message));

/** The database answers and takes no writes: its disk is full, or it is a standby. */
export const isRefusedWrite = (error: unknown): boolean =>
  /^(53100|25006)$/.test(codeOf(error instanceof StoreUnavailable ? error.cause : error));

const explain = (cause: unknown): string => {
  if (codeOf(cause) === '53100') return 'its disk is full. Free space; work goes on by itself.';
  const code = codeOf(cause);
  return code ? `${messageOf(cause)} (${code})` : messageOf(cause);
};
