import { QueryClient, type QueryKey } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

export const queries = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, retry: 1, refetchOnWindowFocus: false } },
});

/** Takes what the server tells by itself. An answer that is still on its way may be older: nobody waits for it. */
export const takeNews = <T>(queryKey: QueryKey, now: T | undefined): void => {
  if (now === undefined) return;
  void queries.cancelQueries({ queryKey, exact: true });
  queries.setQueryData(queryKey, now);
};

/** Asks again, also while an answer is on its way: that one may be older than the reason to ask. */
export const askAgain = async (queryKey: QueryKey): Promise<void> => {
  await queries.cancelQueries({ queryKey, exact: true });
  await queries.invalidateQueries({ queryKey, exact: true });
};

/** Asks a query again whenever something changes; not for what it is at first. */
export const useAskAgain = (queryKey: QueryKey, changes: unknown): void => {
  const before = useRef(changes);
  useEffect(() => {
    if (before.current === changes) return;
    before.current = changes;
    void askAgain(queryKey);
  });
};
