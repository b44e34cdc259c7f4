import { type ComponentType, type ReactNode, useEffect, useState } from 'react';

const awaited = new Set<() => Promise<unknown>>();

/**
 * A component whose script is not part of a page's first view: it is fetched when the page has become calm
 * (`useCalm`), or when it is first shown. Once here it is drawn at once. React's own `lazy` would draw nothing first
 * even then, and keep that for 300 ms. `meanwhile`: what is drawn until it is here.
 */
export const later = <P extends object>(
  load: () => Promise<{ readonly default: ComponentType<P> }>,
  meanwhile: (props: P) => ReactNode = () => null,
): ComponentType<P> => {
  let Part: ComponentType<P> | null = null;
  const fetched = async (): Promise<void> => {
    Part ??= (await load()).default;
    awaited.delete(fetched);
  };
  awaited.add(fetched);

  return function Later(props: P) {
    const [failure, setFailure] = useState<{ readonly error: unknown } | null>(null);
    const [here, setHere] = useState(Part !== null);
    useEffect(() => {
      if (here) return;
      fetched().then(
        () => setHere(true),
        (error: unknown) => setFailure({ error }),
      );
    }, [here]);
    if (failure) throw failure.error;
    return Part ? <Part {...props} /> : meanwhile(props);
  };
};

const fetchAwaited = (): void => {
  // It is tried again when it is shown, and fails there in sight.
  for (const fetched of awaited)
    fetched().catch((error: unknown) =>
      console.info('A part of the page could not be fetched ahead:', error),
    );
};

/** Called by a page when its first view is drawn: what it may show later is fetched in the next idle moment. */
export const useCalm = (): void =>
  useEffect(() => {
    // Safari has no idle callbacks.
    if (!('requestIdleCallback' in window)) {
      const timer = setTimeout(fetchAwaited, 500);
      return () => clearTimeout(timer);
    }
    const waiting = requestIdleCallback(fetchAwaited, { timeout: 2000 });
    return () => cancelIdleCallback(waiting);
  }, []);
