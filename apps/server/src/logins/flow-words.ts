import { fail, type ProviderError, type Result } from '@maestro/ports';
import type { LoginFlow, LoginProvider } from '@maestro/protocol';

/** The words of a vendor may end without a full stop. */
export const sentence = (text: string): string => (/[.!?…]["'”)]?$/.test(text) ? text : `${text}.`);

/** A vendor's error as the API tells it. */
export const inWords = ({ message, remedy }: ProviderError): string =>
  remedy ? `${sentence(message)} ${remedy}` : message;

/** What was given is wrong; nothing was asked of the vendor. */
export const refusedInput = (error: ProviderError, field: string): Result<never> =>
  fail(
    error.cause === 'invalid_request' || error.cause === 'auth' ? 'invalid' : 'provider_error',
    inWords(error),
    {
      field,
      ...(error.retry_after_s === undefined ? {} : { retry_after_s: error.retry_after_s }),
    },
  );

export const noFlow = (): Result<never> =>
  fail('not_found', 'There is no such login under way. GET /api/v1/oauth lists them.', {
    field: 'params.flow_id',
  });

export const noVendor = (provider: LoginProvider): Result<never> =>
  fail('not_found', `There is no login for ${provider}.`, { field: 'params.provider' });

const begin = 'Begin a new one.';

/** Why a login that is not `waiting` cannot be completed or given up. */
export const notWaiting = (flow: LoginFlow): Result<never> => {
  const why = {
    waiting: () => fail('busy', 'This login was changed just now. Look again.'),
    exchanging: () => fail('busy', 'This login is being completed just now.'),
    done: () => fail('conflict', 'This login is complete: a code works once.'),
    failed: () =>
      fail(
        'gone',
        flow.message ? `This login has failed: ${flow.message}` : `This login has failed. ${begin}`,
      ),
    expired: () => fail('gone', `This login has expired: it had 15 minutes. ${begin}`),
    cancelled: () => fail('gone', `This login was given up. ${begin}`),
  };
  return why[flow.state]();
};

export const ofDevice = (flow: LoginFlow): Result<never> =>
  fail('invalid', `Nothing is pasted here: type the code ${flow.user_code ?? ''} at ${flow.url}.`, {
    field: 'body.code',
  });

export const stopped =
  'The server was stopped while the code was exchanged for tokens. A code works once. Begin the login again.';

export const pasteAgain =
  'Check that you pasted the whole code and nothing else, and try again; or cancel this login and begin another.';

/** A credential keeps its name, so a login with another account than before must not go unseen. */
export const otherAccount = (before: string, now: string): string =>
  `This credential was the login of ${before}; it is that of ${now} now.`;
