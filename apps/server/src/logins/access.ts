import type { Clock, OpenedCredential, ProviderError, ResolvedCredential, Result } from '@maestro/ports';
import { sentence } from './flow-words.ts';
import { logInAgain } from './refresh-words.ts';
import type { Refresher } from './refresher.ts';
import { lifeOf, loginOf, type OpenLogin } from './tokens.ts';

/** A login's tokens for a call. */
export interface LoginAccess {
  /**
   * With an access token that is good by our clock, refreshed before where it is not, or where `refused` names this
   * very version. What cannot be refreshed for now is used as long as it lasts.
   */
  open(opened: OpenedCredential, refused?: ResolvedCredential): Promise<Result<OpenLogin, ProviderError>>;
}

export const createLoginAccess = ({
  refresher,
  clock,
}: {
  readonly refresher: Pick<Refresher, 'refresh'>;
  readonly clock: Clock;
}): LoginAccess => ({
  open: async (opened, refused) => {
    const login = loginOf(opened);
    const { id } = login.credential;
    const isRefused = refused?.saved?.id === id && refused.saved.version === login.version;
    if (!isRefused && lifeOf(login, clock.now()) === 'good') return { ok: true, value: login };
    const refreshed = await refresher.refresh(id, login.version);
    if (refreshed.ok) return refreshed;
    if (!isRefused && lifeOf(login, clock.now()) !== 'over') return { ok: true, value: login };
    const { kind, error } = refreshed.error;
    return { ok: false, error: kind === 'over' ? error : passing(error) };
  },
});

/** The login is as good as before: the call can be made again. */
const passing = (error: ProviderError): ProviderError => ({
  ...error,
  message: `The login could not be refreshed. ${sentence(error.message)}`,
  remedy: `${error.remedy ?? 'Try again.'} The login itself is kept; ${lowerFirst(logInAgain)} only if this lasts.`,
});

const lowerFirst = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1, -1)}`;
