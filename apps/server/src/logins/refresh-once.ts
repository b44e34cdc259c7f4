import type { CredentialStore, Log, LoginClient, LoginTokens, ProviderError, Result } from '@maestro/ports';
import type { CredentialId, LoginProvider } from '@maestro/protocol';
import { sentence } from './flow-words.ts';
import { patiently } from './patiently.ts';
import { gone, logInAgain, over, restored, words } from './refresh-words.ts';
import { loginOf, type OpenLogin } from './tokens.ts';

/** `passing`: try again later, nothing is lost · `over`: only a new login helps. */
export interface RefreshFailure {
  readonly kind: 'passing' | 'over';
  readonly error: ProviderError;
}
export type Refreshed = Result<OpenLogin, RefreshFailure>;

export interface RefreshParts {
  readonly store: Pick<
    CredentialStore,
    'open' | 'claimRefresh' | 'holdRefresh' | 'markSent' | 'storeTokens' | 'endRefresh' | 'restoredFrom'
  >;
  readonly clients: ReadonlyMap<LoginProvider, LoginClient>;
  readonly log: Log;
  /** Told after each change of a credential. */
  readonly changed: () => void;
  /** Told of each version that was stored. */
  readonly stored: (login: OpenLogin) => void;
  /** For how long a process that dies keeps others from refreshing. */
  readonly claim_ms: number;
}

/** `busy`: another process is at it · `changed`: the row has to be read again. */
export type Attempt = Refreshed | 'busy' | 'changed';

/** A token request is given up after this. */
const request_ms = 120_000;

/**
 * One refresh of this version, or the reason why not. Each step is a committed statement and none is open during the
 * request: the right is taken, the mark set, the token sent, the answer stored, and only then used. See
 * docs/adr/0008-logins.md for what each order prevents. Throws where the database does not answer.
 */
export const refreshOnce = async (
  parts: RefreshParts,
  id: CredentialId,
  version: number,
): Promise<Attempt> => {
  const { store, clients } = parts;
  const opened = await store.open(id);
  const client = clients.get(opened?.credential.provider as LoginProvider);
  if (!opened || !client) return failed('over', gone);
  const login = loginOf(opened);
  if (login.version !== version) return { ok: true, value: login };
  if (login.credential.state === 'needs_login')
    return failed(
      'over',
      over(withoutRemedy(login.credential.detail) ?? `${client.name}: the login is over.`),
    );

  const claim = await store.claimRefresh(id, version, parts.claim_ms);
  if (claim === 'busy') return 'busy';
  if (claim === 'changed' || claim === 'gone') return 'changed';
  if (login.tokens.refresh_token === null)
    return needsLogin(parts, login, `${client.name}: ${words.noRefreshToken}`);
  if (claim === 'used' && client.rotates)
    return needsLogin(parts, login, `${client.name}: ${words.interrupted} ${words.once}`);
  parts.changed();
  // Where tokens work more than once, one that has left may leave again.
  if (claim === 'claimed' && !(await mark(parts, login))) return 'changed';

  const holding = setInterval(() => {
    store
      .holdRefresh(id, version, parts.claim_ms)
      .catch((error: unknown) =>
        parts.log.warn('login.claim_not_held', { credential: id, error: String(error) }),
      );
  }, parts.claim_ms / 3).unref();
  try {
    const answer = await client.refresh(login.tokens, AbortSignal.timeout(request_ms));
    if (answer.ok) return await keep(parts, login, answer.value);
    const { kind, error } = answer.error;
    parts.log.warn('login.refresh_failed', {
      credential: id,
      kind,
      cause: error.cause,
      status: error.status,
    });
    if (kind === 'refused')
      return await needsLogin(parts, login, `${client.name}: ${sentence(error.message)}`);
    if (kind === 'unknown' && client.rotates)
      return await needsLogin(parts, login, `${client.name}: ${sentence(error.message)} ${words.once}`);
    await takeBack(parts, login);
    // Its remedy is for where the token is used up; here it is not.
    return failed('passing', kind === 'unknown' ? { ...error, remedy: words.tryAgain } : error);
  } finally {
    clearInterval(holding);
  }
};

/** Set before the token leaves. Where it is not known whether it was set, nothing leaves and it is taken back. */
const mark = async (parts: RefreshParts, login: OpenLogin): Promise<boolean> => {
  try {
    return await parts.store.markSent(login.credential.id, login.version);
  } catch (error) {
    void takeBack(parts, login);
    throw error;
  }
};

/** The new tokens are in the database before anybody is given them; nothing else may be lost here, so it waits for the database. */
const keep = async (
  parts: RefreshParts,
  { credential, version }: OpenLogin,
  tokens: LoginTokens,
): Promise<Attempt> => {
  const stored = await patiently(() => parts.store.storeTokens(credential.id, version, tokens), {
    failed: (error) => parts.log.error('login.tokens_not_stored_yet', { credential: credential.id, error }),
  });
  parts.changed();
  // The person has logged in again meanwhile, or our first try was written after all.
  if (!stored) return 'changed';
  parts.log.info('login.refreshed', { credential: credential.id, provider: credential.provider });
  const login = { credential: stored, version: version + 1, secret: JSON.stringify(tokens), tokens };
  parts.stored(login);
  return { ok: true, value: login };
};

/** The token did not reach the vendor, or the vendor did nothing: it may be sent again. Only while the right is still ours. */
const takeBack = async (parts: RefreshParts, { credential, version }: OpenLogin): Promise<void> => {
  await patiently(() => parts.store.endRefresh(credential.id, version, { sent: false }), {
    failed: (error) => parts.log.warn('login.refresh_not_ended_yet', { credential: credential.id, error }),
    for_ms: parts.claim_ms / 2,
  });
  parts.changed();
};

const needsLogin = async (
  parts: RefreshParts,
  { credential, version }: OpenLogin,
  why: string,
): Promise<Attempt> => {
  let message = why;
  const ended = await patiently(
    async () => {
      const backup_of = await parts.store.restoredFrom(credential.id, version);
      message = backup_of === null ? why : `${why} ${restored(backup_of)}`;
      return parts.store.endRefresh(credential.id, version, {
        sent: true,
        state: 'needs_login',
        detail: `${message} ${logInAgain}`,
      });
    },
    {
      failed: (error) => parts.log.warn('login.refresh_not_ended_yet', { credential: credential.id, error }),
    },
  );
  parts.changed();
  // Another process has stored a newer version: the vendor's word is about the old one.
  if (!ended) return 'changed';
  parts.log.warn('login.needs_login', { credential: credential.id, provider: credential.provider });
  return failed('over', over(message));
};

const withoutRemedy = (detail: string | null): string | undefined =>
  detail?.replace(` ${logInAgain}`, '') ?? undefined;

const failed = (kind: RefreshFailure['kind'], error: ProviderError): Attempt => ({
  ok: false,
  error: { kind, error },
});
