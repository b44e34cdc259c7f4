import { createHash, randomUUID } from 'node:crypto';

/** The alphabet and length that every vendor takes. */
const safe = /^[A-Za-z0-9_-]{1,64}$/;

/** An id for a call whose vendor gave none. */
export const makeCallId = (): string => `call_${randomUUID().replaceAll('-', '')}`;

/** The same id where every vendor takes it, else one made from it: the same text always gives the same id. */
export const safeCallId = (id: string): string => {
  if (safe.test(id)) return id;
  const readable = id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 47);
  return `${readable}_${createHash('sha256').update(id).digest('hex').slice(0, 16)}`;
};
