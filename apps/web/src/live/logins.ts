import type { LoginFacts, LoginFlow } from '@maestro/protocol';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { client } from './maestro.ts';
import { askAgain, queries } from './queries.ts';

export interface Logins {
  readonly providers: readonly LoginFacts[];
  readonly flows: readonly LoginFlow[];
}

const key = ['logins'];

/** Vendors whose account can be used, and the logins under way, live. */
export const useLogins = (): UseQueryResult<Logins> =>
  useQuery({ queryKey: key, queryFn: () => client.logins() });

/** News of flows alone. An answer that is on its way holds more, and older flows: it is asked for again. */
export const takeFlows = (change: (known: readonly LoginFlow[]) => readonly LoginFlow[]): void => {
  const isAsked = queries.isFetching({ queryKey: key, exact: true }) > 0;
  queries.setQueryData<Logins>(key, (known) => known && { ...known, flows: change(known.flows) });
  if (isAsked) void askAgain(key);
};

/** News of one flow, from an answer to this page. */
export const knowFlow = (flow: LoginFlow): void =>
  takeFlows((known) => [flow, ...known.filter((one) => one.id !== flow.id)]);

/** Asks again: what was acknowledged or configured may have changed. */
export const askLogins = (): Promise<void> => askAgain(key);
