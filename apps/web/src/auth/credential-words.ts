import type { Credential } from '@maestro/protocol';

const states: Record<Credential['state'], { name: string; mark: string }> = {
  valid: { name: 'Valid', mark: 'ready' },
  unchecked: { name: 'Not tried', mark: 'idle' },
  refused: { name: 'Refused', mark: 'failed' },
  needs_login: { name: 'Needs a login', mark: 'waiting' },
};

/** What a credential is at now, in a word and with the shape of its mark. */
export const credentialState = (credential: Credential): { name: string; mark: string } => {
  if (credential.refreshing) return { name: 'Refreshing…', mark: 'running' };
  if (!credential.is_enabled) return { name: 'Paused', mark: 'idle' };
  return states[credential.state];
};

/** Which one it is, beyond its name: the account, or the last characters of the key. */
export const whoseCredential = ({ auth_type, account, last4 }: Credential): string =>
  account ?? (auth_type === 'oauth' ? 'account not named' : last4 === '' ? 'hidden' : `…${last4}`);
