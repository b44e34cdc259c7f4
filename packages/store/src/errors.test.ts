import { expect, it } from 'vitest';
import { messageOf } from './errors.ts';

it('gives the message of an error, also of one that is told as a plain object (Q5)', () => {
  expect(messageOf(new Error('no such table'))).toBe('no such table');
  expect(messageOf({ message: 'the job failed', queue: 'backup' })).toBe('the job failed');
  expect(messageOf('just words')).toBe('just words');
  expect(messageOf(null)).toBe('null');
});
