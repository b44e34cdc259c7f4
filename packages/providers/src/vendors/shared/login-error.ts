import type { ProviderError } from '@maestro/ports';

export const logInAgain = 'Log in again under Keys & accounts.';

/** An error of a call with a login: what helps against a refused key does not help here. */
export const loginError = (error: ProviderError): ProviderError =>
  error.cause === 'auth' ? { ...error, remedy: logInAgain } : error;

/** A login of which the vendor's answer did not hold what every call has to name. */
export const lacking = (vendor: string, what: string): ProviderError => ({
  cause: 'auth',
  message: `The ${vendor} login names no ${what}, and every call has to.`,
  remedy: logInAgain,
});
