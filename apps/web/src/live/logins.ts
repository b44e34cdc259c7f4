import type { LoginFlow } from '@maestro/protocol';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { type Logins, queries } from './facts.ts';
import { client } from './maestro.ts';

const key = ['logins'];

/** Vendors whose account can be used, and the logins under way, live. */
export const useLogins = (): UseQueryResult<Logins> =>
  useQuery({ queryKey: key, queryFn: () => client.logins() });

/** News of one flow, from an answer to this page. */
export const knowFlow = (flow: LoginFlow): void => {
  queries.setQueryData<Logins>(
    key,
    (known) => known && { ...known, flows: [flow, ...known.flows.filter((one) => one.id !== flow.id)] },
  );
};

/** Asks again: what was acknowledged or configured may have changed. */
export const askLogins = (): Promise<void> => queries.invalidateQueries({ queryKey: key });
