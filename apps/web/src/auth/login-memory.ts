import type { CredentialId, FlowId, LoginFlow } from '@maestro/protocol';

/** What this page remembers of logins while it is open, so that going elsewhere and back loses nothing. */
export const loginMemory = {
  /** Pasted, not yet taken. */
  drafts: new Map<FlowId, string>(),
  /** Begun here to log in again to a credential. */
  renews: new Map<FlowId, CredentialId>(),
  /** Was under way before the eyes of this page. */
  seen: new Set<FlowId>(),
  /** Ended and put away by the person. */
  dismissed: new Set<FlowId>(),
  /** Were in the list of the saved ones. */
  saved: new Set<CredentialId>(),
};

export const isUnderWay = ({ state }: LoginFlow): boolean => state === 'waiting' || state === 'exchanging';

/**
 * The flows worth showing: those under way, and the newest of each vendor whose end this page has seen, unless the
 * login it gave was deleted since. `saved`: the credentials there are now.
 */
export const shownFlows = (
  flows: readonly LoginFlow[],
  saved: readonly { readonly id: CredentialId }[],
): LoginFlow[] => {
  const held = new Set(saved.map(({ id }) => id));
  for (const id of held) loginMemory.saved.add(id);
  const isDeleted = (id: CredentialId | null): boolean =>
    id !== null && loginMemory.saved.has(id) && !held.has(id);
  const newest = flows.toSorted((a, b) => b.created_at.localeCompare(a.created_at));
  return newest.filter((flow, index) => {
    if (isUnderWay(flow)) {
      loginMemory.seen.add(flow.id);
      return true;
    }
    const last = newest.findIndex((one) => one.provider === flow.provider) === index;
    return (
      last &&
      flow.state !== 'cancelled' &&
      !isDeleted(flow.credential_id) &&
      loginMemory.seen.has(flow.id) &&
      !loginMemory.dismissed.has(flow.id)
    );
  });
};
