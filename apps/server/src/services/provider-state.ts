import type { ProviderError } from '@maestro/ports';
import type { AuthType, ProviderState } from '@maestro/protocol';

/**
 * What it says of a service when it does not list its models. One that has no such list may still answer: it is not
 * ready only where the credential is at fault, where it is down, or where something else stands at its address.
 */
export const stateAfter = ({ cause, status }: ProviderError, auth_type: AuthType): ProviderState => {
  switch (cause) {
    case 'auth':
    case 'permission':
      return auth_type === 'oauth' ? 'needs_login' : 'needs_key';
    case 'network':
    case 'timeout':
    case 'aborted':
    case 'garbage':
    case 'server':
    case 'overloaded':
      return 'unreachable';
    case 'not_found':
      return 'no_models';
    case 'invalid_request':
      // Without a status it never left: the credential holds what cannot stand in a header.
      return status === undefined ? 'needs_key' : 'ready';
    default:
      return 'ready';
  }
};
