import type { Card } from '@maestro/protocol';
import { stateWords } from './format.ts';

/** The state of a session: a round dot works, a square waits, a triangle failed, a ring rests; always with its words. */
export const StatusMark = ({
  session,
}: {
  session: Pick<Card, 'status' | 'waiting_for' | 'archived_at'>;
}) => (
  <span className={`mark ${session.status}`}>
    <span className="mark-shape" aria-hidden="true" />
    {stateWords(session)}
  </span>
);
