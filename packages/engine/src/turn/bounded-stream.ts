import type { ProviderError } from '@maestro/ports';

/** How long a provider may go on after it was told to stop, in ms. */
const grace_ms = 2_000;

/**
 * A stream that keeps its contract whatever its source does: what it throws becomes its last event, and it ends soon
 * after it was stopped. `lastOf` makes the last event of an error.
 */
export async function* boundedStream<E>(
  open: () => AsyncIterable<E>,
  signal: AbortSignal,
  lastOf: (error: ProviderError) => E,
  grace = grace_ms,
): AsyncGenerator<E, void, undefined> {
  let late: (() => void) | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    timer = setTimeout(() => {
      over = true;
      late?.();
    }, grace);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  let events: AsyncIterator<E> | undefined;
  try {
    events = open()[Symbol.asyncIterator]();
    const from = events;
    for (;;) {
      const next = await new Promise<IteratorResult<E> | undefined>((resolve, reject) => {
        late = () => resolve(undefined);
        if (over) late();
        from.next().then(resolve, reject);
      });
      if (next?.done) {
        events = undefined;
        return;
      }
      yield next ? next.value : lastOf(errorOf(new Error('It did not stop when it was told to.'), signal));
      if (!next) return;
    }
  } catch (error) {
    yield lastOf(errorOf(error, signal));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    // Not awaited: a provider that never ends would hold the turn.
    events?.return?.().catch(() => undefined);
  }
}

const errorOf = (error: unknown, signal: AbortSignal): ProviderError =>
  signal.aborted
    ? { cause: 'aborted', message: 'The call was stopped.' }
    : {
        cause: 'internal',
        message: `The provider failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`,
        remedy: 'Resume the turn; if it happens again, please report it.',
      };
