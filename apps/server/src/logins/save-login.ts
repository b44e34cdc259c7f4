import type { CredentialStore, LoginTokens, StoredLogin } from '@maestro/ports';
import { type Credential, type CredentialId, newId } from '@maestro/protocol';
import { patiently } from './patiently.ts';

/**
 * Stores what a login gave, whatever it takes: the code is used up, so a name that was taken meanwhile gets a number
 * and a database that is away is waited for.
 */
export const saveLogin = async (
  store: Pick<CredentialStore, 'putLogin'>,
  { flow, credential_id }: StoredLogin,
  tokens: LoginTokens,
  failed: (error: string) => void,
): Promise<Credential> => {
  const id = credential_id ?? newId<CredentialId>('cred');
  for (let number = 1; ; number++) {
    const name = number === 1 ? flow.name : `${flow.name} ${number}`;
    const saved = await patiently(
      () => store.putLogin({ id, provider: flow.provider, name, tokens, profile: null }),
      { failed },
    );
    if (saved?.ok) return saved.value;
  }
};

/** A name that is free, from one that nobody chose. */
export const freeName = (wanted: string, taken: ReadonlySet<string>): string => {
  if (!taken.has(wanted)) return wanted;
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'login' : `login ${number}`;
    if (!taken.has(name)) return name;
  }
};
