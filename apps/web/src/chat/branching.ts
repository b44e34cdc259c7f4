import { type ConversationId, type ItemId, newId, type TurnId } from '@maestro/protocol';
import { useRef, useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useBusy, useWatch } from '../live/session.ts';
import { focusComposer } from './draft.ts';

const wait = 'Not while a turn runs: wait until it has ended, or stop it.';

/** Ways from an item of the past to a new branch. Each leaves the branch it starts from as it is. */
export interface Branching {
  /** Why nothing can be done now; null when it can. */
  readonly reason: string | null;
  readonly problem: string | null;
  /** Answers the last message again; or for the first time, on the branch that is open. */
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

  /** What was tried last and not answered. Tried again it is the same command, id and all, so that it is not done twice. */
  const tried = useRef<{ what: string; act: () => Promise<unknown> } | null>(null);

  const run = async (what: string, begin: () => () => Promise<unknown>): Promise<boolean> => {
    const act = tried.current?.what === what ? tried.current.act : begin();
    tried.current = { what, act };
    setAsking(true);
    try {
      await act();
      tried.current = null;
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
    retry: () =>
      run('retry', () => {
        const id = newId<TurnId>('trn');
        return () => client.retry({ params, body: { id } });
      }),
    fork: (at_item) =>
      run('fork', () => {
        const id = newId<ConversationId>('con');
        return () => client.fork({ params, body: { id, at_item } });
      }),
    sendAgain: (item_id, text) =>
      run(`edit ${text}`, () => {
        const id = newId<ItemId>('itm');
        return () => client.editMessage({ params, body: { id, item_id, text } });
      }),
  };
};
