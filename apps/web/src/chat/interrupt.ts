import { useCallback, useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useSession, useWatch } from '../live/session.ts';

/** Stops the running turn; what had arrived stays. */
export const useInterrupt = () => {
  const watch = useWatch();
  const session = useSession();
  const running = session?.status === 'running' || session?.status === 'waiting';
  const [stopping, setStopping] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const stop = useCallback(() => {
    setStopping(true);
    client
      .interrupt({ params: { session_id: watch.id } })
      .then(() => setProblem(null))
      .catch((error: unknown) => setProblem(failureOf(error).message))
      .finally(() => setStopping(false));
  }, [watch]);
  return { stop, running, stopping, problem };
};
