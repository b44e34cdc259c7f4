import type { SessionWatch } from '@maestro/client';
import type { QueueEntry, QueueId } from '@maestro/protocol';
import { useEffect, useRef } from 'react';
import { useWatch } from '../live/session.ts';
import { announce } from '../ui/announcer.tsx';
import { focusComposer, giveBack } from './draft.ts';

/** Waiting messages that are being edited, as typed so far. */
export const queueEdits = new Map<QueueId, string>();

/** Whether a message that waits no longer went out as it was typed here. */
const wentAs = (watch: SessionWatch, id: QueueId, text: string): boolean => {
  const { order = [], items } = watch.view ?? {};
  // A message keeps its id.
  const sent = order.findLast((each) => String(each) === String(id));
  const item = sent && items?.get(sent);
  return item?.kind === 'user_message' && item.data.text === text;
};

/** Puts into the message box what was typed for a message that went out, or was taken back, meanwhile. */
export const useEditsOfGone = (queue: readonly QueueEntry[]): void => {
  const watch = useWatch();
  const before = useRef(queue);
  useEffect(() => {
    const gone = before.current.filter((entry) => !queue.some((each) => each.id === entry.id));
    before.current = queue;
    for (const { id, text } of gone) {
      const typed = queueEdits.get(id);
      queueEdits.delete(id);
      if (typed === undefined || typed === text || wentAs(watch, id, typed)) continue;
      giveBack(watch.id, typed, []);
      focusComposer();
      announce('This message does not wait any more. What you changed is in the message box.');
    }
  }, [queue, watch]);
};
