import type { Item, ItemId, Turn } from '@maestro/protocol';
import { useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useItemPart, useOrder, useSession, useTurn, useUnanswered, useWatch } from '../live/session.ts';
import { useNow } from '../ui/clock.ts';
import { duration, stateWords } from '../ui/format.ts';
import { Icon } from '../ui/icons.tsx';
import { useBranching } from './branching.ts';
import { useInterrupt } from './interrupt.ts';

/** One line above the message box: what the agent does now, and the one thing to do about it. */
export function StatusLine({ onApproval }: { onApproval: (id: ItemId) => void }) {
  const session = useSession();
  const turn = useTurn();
  const { stop, running, stopping, problem } = useInterrupt();
  const last = useLastDoing();
  const approval = usePendingApproval();
  const unanswered = useUnanswered();
  if (!session) return null;

  if (running)
    return (
      <div className="status-line">
        <span className={`mark ${session.status}`}>
          <span className="mark-shape" aria-hidden="true" />
          {session.status === 'waiting' ? stateWords(session) : last}
        </span>
        {turn && session.status === 'running' && <Since instant={turn.started_at} />}
        {problem && <span className="field-error">{problem}</span>}
        <span className="status-space" />
        {approval && (
          <button type="button" className="button small" onClick={() => onApproval(approval)}>
            Go to the question
          </button>
        )}
        <button type="button" className="button small" onClick={stop} disabled={stopping}>
          <Icon name="stop" />
          {stopping ? 'Stopping…' : 'Stop'} <kbd>Esc</kbd>
        </button>
      </div>
    );

  if (unanswered) return <Unanswered />;
  if (turn && (turn.status === 'failed' || turn.status === 'interrupted')) return <Ended turn={turn} />;
  return <div className="status-line quiet" />;
}

function Since({ instant }: { instant: string }) {
  const now = useNow(1000);
  const ms = now - Date.parse(instant);
  return ms < 1000 ? null : <span className="hint">{duration(ms)}</span>;
}

function Unanswered() {
  const { reason, problem, retry } = useBranching();
  return (
    <Offer
      mark="idle"
      problem={problem}
      act="Answer it"
      disabled={reason !== null}
      onAct={() => void retry()}
    >
      Your last message has no answer on this branch
    </Offer>
  );
}

function Ended({ turn }: { turn: Turn }) {
  const watch = useWatch();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const failed = turn.status === 'failed';
  const resume = async (): Promise<void> => {
    setBusy(true);
    try {
      await client.resume({ params: { session_id: watch.id } });
      setProblem(null);
    } catch (error) {
      setProblem(failureOf(error).message);
    }
    setBusy(false);
  };
  return (
    <Offer
      mark={failed ? 'failed' : 'idle'}
      problem={problem}
      act={failed ? 'Retry' : 'Resume'}
      disabled={busy}
      onAct={() => void resume()}
    >
      {failed
        ? 'The turn failed'
        : turn.cause === 'crash'
          ? 'Interrupted by a restart'
          : 'Stopped. What had arrived is kept.'}
    </Offer>
  );
}

/** What stands still, and the button to go on. */
function Offer(props: {
  mark: 'idle' | 'failed';
  problem: string | null;
  act: string;
  disabled: boolean;
  onAct: () => void;
  children: string;
}) {
  return (
    <div className="status-line">
      <span className={`mark ${props.mark}`}>
        <span className="mark-shape" aria-hidden="true" />
        {props.children}
      </span>
      {props.problem && (
        <span className="field-error" role="alert">
          {props.problem}
        </span>
      )}
      <span className="status-space" />
      <button type="button" className="button small" disabled={props.disabled} onClick={props.onAct}>
        {props.act}
      </button>
    </div>
  );
}

const doing = (item: Item | undefined): string => {
  if (item?.kind === 'agent_message' && item.status === 'streaming') return 'Writing…';
  if (item?.kind === 'tool_call' && item.status === 'running') return `Running ${item.data.name}…`;
  if (item?.kind === 'tool_call' && item.status === 'streaming') return `Preparing ${item.data.name}…`;
  return 'Thinking…';
};

/** What the newest item says is being done, in words: they stay the same while tokens arrive, so the line is not redrawn. */
const useLastDoing = (): string => useItemPart(useOrder().at(-1), doing);

/** The newest approval that waits for an answer; looked for only while the session waits. */
const usePendingApproval = (): ItemId | null => {
  const watch = useWatch();
  const session = useSession();
  const order = useOrder();
  if (session?.status !== 'waiting') return null;
  for (const id of order.slice(-40).reverse()) {
    const item = watch.view?.items.get(id);
    if (item?.kind === 'approval' && item.status === 'pending') return id;
  }
  return null;
};
