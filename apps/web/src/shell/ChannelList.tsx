import type { Card, SessionId } from '@maestro/protocol';
import { Link } from '@tanstack/react-router';
import { memo, useState } from 'react';
import { calledOf, useCard, useCardIds } from '../live/cards.ts';
import { client, failureOf } from '../live/maestro.ts';
import { needsPerson, plainWords, short, stateWords, tokens } from '../ui/format.ts';
import { Icon } from '../ui/icons.tsx';

/** All sessions beside the chat: chats and agent tasks apart, each with its state. */
export function ChannelList() {
  const chats = useCardIds('chat');
  const tasks = useCardIds('task');
  return (
    <nav className="channels" aria-label="Sessions">
      <div className="channels-head">
        <h2>Chats</h2>
        <Link to="/" search={{ new: true }} className="button small quiet" aria-label="New session">
          <Icon name="plus" />
          New
        </Link>
      </div>
      {chats.length === 0 && <p className="hint channels-empty">No chats yet.</p>}
      <ul>
        {chats.map((id) => (
          <Channel key={id} id={id} />
        ))}
      </ul>
      {tasks.length > 0 && (
        <>
          <div className="channels-head">
            <h2>Agent tasks</h2>
          </div>
          <ul>
            {tasks.map((id) => (
              <Channel key={id} id={id} />
            ))}
          </ul>
        </>
      )}
      <Link to="/" search={{ archived: true }} className="channels-archived">
        Archived sessions
      </Link>
    </nav>
  );
}

const second = (card: Card): string => {
  if (needsPerson(card)) return 'Needs you';
  if (card.status !== 'idle') return stateWords(card);
  return plainWords(card.preview) || 'No messages yet';
};

const Channel = memo(function Channel({ id }: { id: SessionId }) {
  const card = useCard(id);
  if (!card) return null;
  return (
    <li className="channel-place">
      <Link
        to="/sessions/$id"
        params={{ id }}
        className={`channel mark-of-${card.status}`}
        activeProps={{ 'aria-current': 'page' }}
      >
        <span className={`mark ${card.status}`}>
          <span className="mark-shape" aria-hidden="true" />
        </span>
        <span className="channel-title truncate">{calledOf(card)}</span>
        <span className="channel-tokens" title={`${tokens(card.totals)} tokens`}>
          {short(tokens(card.totals))}
        </span>
        <span className="channel-line truncate">{second(card)}</span>
      </Link>
      {(card.status === 'running' || card.status === 'waiting') && <StopChannel card={card} />}
    </li>
  );
});

/** Stops a session's turn without opening it. */
function StopChannel({ card }: { card: Card }) {
  const [problem, setProblem] = useState<string | null>(null);
  const called = calledOf(card);
  const stop = (): void => {
    client
      .interrupt({ params: { session_id: card.id } })
      .then(() => setProblem(null))
      .catch((error: unknown) => setProblem(failureOf(error).message));
  };
  return (
    <button
      type="button"
      className="button icon small channel-stop"
      aria-label={problem ? `Stop ${called}: ${problem}` : `Stop ${called}`}
      title={problem ?? 'Stop'}
      onClick={stop}
    >
      <Icon name="stop" />
    </button>
  );
}
