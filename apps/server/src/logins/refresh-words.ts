import type { ProviderError } from '@maestro/ports';

/** What a person does about a login that is over. */
export const logInAgain = 'Log in again under Keys & accounts.';

export const words = {
  interrupted:
    'a refresh was interrupted between sending the refresh token and storing the answer (the server was killed, or lost the database).',
  once: 'A refresh token works once here, so it is not sent a second time.',
  tryAgain: 'Wait a moment, then try again.',
  noRefreshToken: 'the access token has ended, and the service gave no refresh token with it.',
} as const;

/** Of a login that has not been refreshed since a restore. `backup_of`: ISO. */
export const restored = (backup_of: string): string =>
  `It was restored from the backup of ${backup_of.slice(0, 16).replace('T', ' ')} UTC: a token that was refreshed after that has ended there.`;

export const over = (message: string): ProviderError => ({ cause: 'auth', message, remedy: logInAgain });

export const gone: ProviderError = over('This login was deleted.');

export const stopping: ProviderError = {
  cause: 'aborted',
  message: 'The login was not refreshed: the server stops.',
  remedy: 'Resume when it is started again.',
};

export const tooLong: ProviderError = {
  cause: 'timeout',
  message: 'Another process refreshes this login and has not finished within a minute.',
  remedy: 'Try again.',
};
