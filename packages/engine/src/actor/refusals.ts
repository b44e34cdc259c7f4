import { fail, type Result } from '@maestro/ports';

export const unwritten = (): Result<never> =>
  fail(
    'unavailable',
    'The database does not answer or is full. Try again in a moment; with the same id nothing is done twice.',
    { retry_after_s: 2 },
  );

export const stoppedUnwritten = (): Result<never> =>
  fail('unavailable', 'The turn is stopped. Its end is written when the database answers again.', {
    retry_after_s: 2,
  });

export const closing = (): Result<never> =>
  fail('unavailable', 'This session is being closed. Try again in a moment.', { retry_after_s: 2 });

export const noMessage = (): Result<never> =>
  fail('not_found', 'Only a message of yours can be edited, and this is none of this session.', {
    field: 'body.item_id',
  });

export const whileRunning = (): Result<never> =>
  fail('busy', 'This session is working. Stop it, or wait until it is done.');

export const noLongerWaiting = (): Result<never> =>
  fail('not_found', 'This message is no longer waiting: it was delivered or taken back.', {
    field: 'params.id',
  });
