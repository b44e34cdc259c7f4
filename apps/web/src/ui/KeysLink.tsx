import type { AuthType, CredentialId, ProviderId } from '@maestro/protocol';
import { Link } from '@tanstack/react-router';
import { useCredentials } from '../live/facts.ts';

/** What a link to `/auth` asks the page to show. */
export interface KeysSearch {
  /** The form for a key of this provider. */
  provider?: ProviderId;
  /** A known compatible service. */
  service?: string;
  /** The login of the provider instead of the form. */
  login?: boolean;
  /** This saved credential. */
  credential?: CredentialId;
}

/** The way from "it cannot answer" to where that is mended: the credential that is over, or the form for a new one. */
export function KeysLink(props: {
  provider?: ProviderId | undefined;
  service?: string | undefined;
  /** The kind of credential that is wanted; without it any. */
  kind?: AuthType | undefined;
}) {
  const { provider, service, kind } = props;
  const over = (useCredentials().data ?? [])
    .filter(
      (one) =>
        one.provider === provider &&
        one.is_enabled &&
        (kind === undefined || one.auth_type === kind) &&
        (service === undefined || one.name === service) &&
        (one.state === 'needs_login' || one.state === 'refused'),
    )
    .toSorted((a, b) => Number(b.is_default) - Number(a.is_default))[0];
  const [words, search]: [string, KeysSearch] = over
    ? [over.state === 'needs_login' ? 'Log in again' : 'See the refused key', { credential: over.id }]
    : kind === 'cli'
      ? ['See what it needs', {}]
      : kind === 'oauth' && provider
        ? ['Log in', { provider, login: true }]
        : ['Add a key', { ...(provider && { provider }), ...(service && { service }) }];
  return (
    <Link to="/auth" search={search} className="keys-link">
      {words}
    </Link>
  );
}
