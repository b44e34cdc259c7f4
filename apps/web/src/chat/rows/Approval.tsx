import type { Decision, ItemOf } from '@maestro/protocol';
import { type KeyboardEvent, useState } from 'react';
import { client, failureOf } from '../../live/maestro.ts';
import { Icon } from '../../ui/icons.tsx';

const decided: Record<Decision, string> = {
  accept: 'You allowed this once',
  accept_for_session: 'You allowed this for the whole session',
  decline: 'You said no',
  cancel: 'You said no and stopped the turn',
};

/** The agent asks before it acts: what and where; Y allows, N declines while the row has the focus. */
export function Approval({ item }: { item: ItemOf<'approval'> }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { action, detail, risk, decision } = item.data;
  const open = item.status === 'pending' && decision === undefined;

  const answer = async (choice: Decision): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await client.answer({
        params: { session_id: item.session_id, item_id: item.id },
        body: { decision: choice },
      });
      setProblem(null);
    } catch (error) {
      setProblem(failureOf(error).message);
    }
    setBusy(false);
  };

  const keys = (event: KeyboardEvent): void => {
    if (!open || event.ctrlKey || event.metaKey || event.altKey) return;
    const choice = ({ y: 'accept', n: 'decline' } as const)[event.key.toLowerCase()];
    if (!choice) return;
    event.preventDefault();
    void answer(choice);
  };

  if (!open)
    return (
      <div className="row notice info">
        <Icon name={decision === 'accept' || decision === 'accept_for_session' ? 'check' : 'cross'} />
        <div>
          <p>
            {decision
              ? decided[decision]
              : item.status === 'stale'
                ? 'Not answered before the turn ended'
                : 'No longer asked'}
            : <code>{action}</code>
          </p>
        </div>
      </div>
    );

  const heard = <span className="visually-hidden">: {action}</span>;
  return (
    <fieldset className="row ask" aria-label={`Needs your approval: ${action}`} onKeyDown={keys}>
      <p className="ask-title">
        <span className="mark waiting">
          <span className="mark-shape" aria-hidden="true" />
          Needs your approval
        </span>
        <span className="hint">
          {{ read: 'reads', write: 'changes files', execute: 'runs a command' }[risk]}
        </span>
      </p>
      <p className="ask-action">{action}</p>
      {detail && <pre className="ask-detail">{detail}</pre>}
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="ask-actions">
        <button
          type="button"
          className="button primary small"
          data-focus
          aria-keyshortcuts="Y"
          disabled={busy}
          onClick={() => void answer('accept')}
        >
          Allow once <kbd>Y</kbd>
          {heard}
        </button>
        <button
          type="button"
          className="button small"
          disabled={busy}
          onClick={() => void answer('accept_for_session')}
        >
          Allow for this session
          {heard}
        </button>
        <button
          type="button"
          className="button small"
          aria-keyshortcuts="N"
          disabled={busy}
          onClick={() => void answer('decline')}
        >
          Decline <kbd>N</kbd>
          {heard}
        </button>
        <button
          type="button"
          className="button small quiet"
          disabled={busy}
          onClick={() => void answer('cancel')}
        >
          Decline and stop
          {heard}
        </button>
      </div>
    </fieldset>
  );
}
