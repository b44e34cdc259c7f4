import { type CommitError, fail, type Result } from '@maestro/ports';

export const unwritten = (): Result<never> =>
  fail(
    'unavailable',
    'The database does not answer or is full. Try again in a moment; with the same id nothing is done twice.',
    { retry_after_s: 2 },
  );

/** The lease is another server's: nothing was done here. */
export const takenOver = (): Result<never> =>
  fail('busy', 'Another server has taken this session over. Try again.');

/** Why a command's change was not written. */
export const notWritten = ({ type }: CommitError): Result<never> => {
  if (type === 'unavailable') return unwritten();
  if (type === 'fenced') return takenOver();
  return fail('not_found', 'This session was deleted.', { field: 'params.session_id' });
};

export const notArchived = (): Result<never> =>
  fail('busy', 'This session is working. Stop it before you archive it.', { field: 'body.archived' });

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

export const nothingToAnswer = (): Result<never> =>
  fail('conflict', 'There is no message to answer again: send one.');

export const idTaken = (): Result<never> =>
  fail('conflict', 'This id belongs to something else already: make a new one.', { field: 'body.id' });

export const whileRunning = (): Result<never> =>
  fail('busy', 'This session is working. Stop it, or wait until it is done.');

export const noLongerWaiting = (): Result<never> =>
  fail('not_found', 'This message is no longer waiting: it was delivered or taken back.', {
    field: 'params.id',
  });
