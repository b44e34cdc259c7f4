import { ApiFailure, type SessionWatch } from '@maestro/client';
import type { ItemId, QueueEntry, QueueId } from '@maestro/protocol';
import { useEffect, useRef } from 'react';
import { client } from '../live/maestro.ts';
import { useWatch } from '../live/session.ts';
import { announce } from '../ui/announcer.tsx';
import { focusComposer, giveBack } from './draft.ts';
import { messageEdits, queueEdits } from './edits.ts';

/** Whether a message that waits no longer went out as it was typed here. */
const wentAs = (watch: SessionWatch, id: QueueId, text: string): boolean => {
  const { order = [], items } = watch.view ?? {};
  // A message keeps its id.
  const sent = order.findLast((each) => String(each) === String(id));
  const item = sent && items?.get(sent);
  return item?.kind === 'user_message' && item.data.text === text;
};

/**
 * Puts into the message box what was typed for a message that went out, or was taken back, meanwhile; while the page
 * was away, too.
 */
export const useEditsOfGone = (queue: readonly QueueEntry[]): void => {
  const watch = useWatch();
  const before = useRef<ReadonlyMap<QueueId, string | undefined> | null>(null);
  useEffect(() => {
    const known = before.current ?? new Map(queueEdits.kept(watch.id).map((id) => [id, undefined]));
    before.current = new Map(queue.map(({ id, text }) => [id, text]));
    for (const [id, text] of known) {
      if (before.current.has(id)) continue;
      const typed = queueEdits.get(watch.id, id);
      queueEdits.end(watch.id, id);
      if (typed === undefined || typed === text || wentAs(watch, id, typed)) continue;
      giveBack(watch.id, typed, []);
      focusComposer();
      announce('This message does not wait any more. What you changed is in the message box.');
    }
  }, [queue, watch]);
};

/** Puts into the message box what was typed for a message of the history that is not there any more, on any branch. */
export const useEditsOfLost = (): void => {
  const watch = useWatch();
  useEffect(() => {
    const session_id = watch.id;
    const isLost = async (item_id: ItemId): Promise<boolean> => {
      if (watch.view?.items.has(item_id)) return false;
      try {
        const { item } = await client.getItem({ params: { session_id, item_id } });
        return item.status === 'removed';
      } catch (error) {
        // Not known now: it is asked again when the session is opened the next time.
        return error instanceof ApiFailure && error.status === 404;
      }
    };
    for (const id of messageEdits.kept(session_id))
      void isLost(id).then((lost) => {
        const typed = lost ? messageEdits.get(session_id, id) : undefined;
        if (typed === undefined) return;
        messageEdits.end(session_id, id);
        giveBack(session_id, typed, []);
        announce('A message that you were editing is gone. What you typed is in the message box.');
      });
  }, [watch]);
};
