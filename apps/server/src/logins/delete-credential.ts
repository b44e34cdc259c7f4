import type { CredentialStore, Log, LoginClient, LoginTokens } from '@maestro/ports';
import type { CredentialId, LoginProvider } from '@maestro/protocol';
import { sentence } from './flow-words.ts';
import { pause } from './patiently.ts';
import { loginOf } from './tokens.ts';

/** `revoked`: whether the vendor ended the login; null: it was not asked to. */
export interface Deleted {
  readonly revoked: boolean | null;
  /** What was done, and what is left to do. */
  readonly message: string;
}

export interface DeletingParts {
  readonly store: Pick<CredentialStore, 'get' | 'open' | 'delete'>;
  readonly clients: ReadonlyMap<LoginProvider, LoginClient>;
  readonly log: Log;
  /** The vendor is not waited for longer. */
  readonly revoke_ms?: number;
}

const usual_revoke_ms = 10_000;
/** A refresh that is under way gets so long to store the tokens that it brings: they are those to revoke. */
const refresh_ms = 5_000;
const look_ms = 100;

/**
 * Deletes a credential here, and then ends a login at its vendor where that is wanted and possible. `deleted` is told
 * between the two. undefined: there is none.
 */
export const deleteCredential = async (
  parts: DeletingParts,
  id: CredentialId,
  revoke: boolean,
  deleted: () => Promise<void>,
): Promise<Deleted | undefined> => {
  const { store, clients, log } = parts;
  const known = await store.get(id);
  if (!known) return undefined;
  const client = known.auth_type === 'oauth' ? clients.get(known.provider as LoginProvider) : undefined;
  const isDeleted = async (): Promise<boolean> => {
    const was = await store.delete(id);
    if (was) await deleted();
    return was;
  };
  if (!client) return (await isDeleted()) ? ofKey : undefined;

  const there = `at ${client.access_settings}.`;
  const wanted = revoke ? client.revocation : undefined;
  const settled = !wanted || (await refreshEnds(store, id));
  const tokens = wanted && (await tokensOf(parts, id));
  if (!(await isDeleted())) return undefined;
  if (!revoke)
    return told(
      null,
      `Deleted here only. At the vendor the login goes on until you take the access away ${there}`,
    );
  if (!wanted)
    return told(
      null,
      `Deleted here. This vendor documents no way to end a login from here: to end it everywhere, take the access away ${there}`,
    );

  const failed = (why: string): Deleted =>
    told(
      false,
      `Deleted here, but it is not certain that the login is over at the vendor: ${why} Take the access away ${there}`,
    );
  if (!tokens) return failed('Its tokens could not be read.');
  const limit_ms = parts.revoke_ms ?? usual_revoke_ms;
  const late = AbortSignal.timeout(limit_ms);
  const ended = await wanted.revoke(tokens, late);
  if (!ended.ok) {
    log.warn('login.not_revoked', { credential: id, cause: ended.error.cause, status: ended.error.status });
    return failed(
      late.aborted ? `It did not answer within ${limit_ms / 1000} s.` : sentence(ended.error.message),
    );
  }
  log.info('login.revoked', { credential: id, provider: known.provider });
  return settled
    ? told(true, 'Deleted here, and the login is over at the vendor.')
    : failed('A refresh was under way, and the token that it brings may go on working.');
};

const told = (revoked: boolean | null, message: string): Deleted => ({ revoked, message });

const ofKey = told(null, 'Deleted here. The key goes on working at its provider until you revoke it there.');

/** false: it has not ended in time. */
const refreshEnds = async (store: DeletingParts['store'], id: CredentialId): Promise<boolean> => {
  const until = performance.now() + refresh_ms;
  while ((await store.get(id))?.refreshing) {
    if (performance.now() > until) return false;
    await pause(look_ms);
  }
  return true;
};

/** undefined: there are none, or the key that opens them is gone. It is deleted all the same. */
const tokensOf = async (
  { store, log }: DeletingParts,
  id: CredentialId,
): Promise<LoginTokens | undefined> => {
  try {
    const opened = await store.open(id);
    return opened && loginOf(opened).tokens;
  } catch (error) {
    log.warn('login.not_opened', { credential: id, error: String(error) });
    return undefined;
  }
};
