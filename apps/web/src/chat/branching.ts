import type { ItemId } from '@maestro/protocol';
import { useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useBusy, useWatch } from '../live/session.ts';
import { focusComposer } from './draft.ts';

const wait = 'Not while a turn runs: wait until it has ended, or stop it.';

/** Ways from an item of the past to a new branch. Each leaves the branch it starts from as it is. */
export interface Branching {
  /** Why nothing can be done now; null when it can. */
  readonly reason: string | null;
  readonly problem: string | null;
  retry(): Promise<boolean>;
  fork(at: ItemId): Promise<boolean>;
  /** false: refused, with the reason in `problem`. */
  sendAgain(item: ItemId, text: string): Promise<boolean>;
}

export const useBranching = (): Branching => {
  const watch = useWatch();
  const running = useBusy();
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const params = { session_id: watch.id };

  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    setAsking(true);
    try {
      await act();
      setProblem(null);
      focusComposer();
      return true;
    } catch (error) {
      setProblem(failureOf(error).message);
      return false;
    } finally {
      setAsking(false);
    }
  };
  return {
    reason: running ? wait : asking ? 'One moment…' : null,
    problem,
    retry: () => run(() => client.retry({ params })),
    fork: (at) => run(() => client.fork({ params, body: { at_item: at } })),
    sendAgain: (item_id, text) => run(() => client.editMessage({ params, body: { item_id, text } })),
  };
};
