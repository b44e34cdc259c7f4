import type { Card, SessionId } from '@maestro/protocol';
import { Link } from '@tanstack/react-router';
import { memo, useState } from 'react';
import { forgetTyped } from '../chat/edits.ts';
import { calledOf, useCard } from '../live/cards.ts';
import { providerName } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { ago, cost, needsPerson, plainWords, short, tokens, whole } from '../ui/format.ts';
import { later } from '../ui/later.tsx';
import { StatusMark } from '../ui/StatusMark.tsx';

const DeleteDialog = later(() => import('../ui/DeleteDialog.tsx'));

export const SessionCard = memo(function SessionCard({ id, now }: { id: SessionId; now: number }) {
  const card = useCard(id);
  return card ? <CardView card={card} called={calledOf(card)} now={now} /> : null;
});

interface Props {
  readonly card: Card;
  /** Its title as no other card of its list has it. */
  readonly called: string;
  readonly now: number;
}

export function ArchivedCard(props: Props & { readonly onChanged: () => void }) {
  return <CardView {...props} />;
}

function CardView({ card, called, now, onChanged }: Props & { readonly onChanged?: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [deleting, setDeleting] = useState(false);
  const archived = card.archived_at !== null;
  /** For who hears it without seeing in which list it stands. */
  const heard = archived ? `${called}, archived` : called;

  const archive = async (): Promise<void> => {
    try {
      await client.patchSession({ params: { session_id: card.id }, body: { archived: !archived } });
      setProblem(null);
      onChanged?.();
    } catch (error) {
      setProblem(failureOf(error).message);
    }
  };

  return (
    <li className={`card${needsPerson(card) ? ' calls' : ''}`}>
      <div className="card-top">
        <StatusMark session={card} />
        <span className="hint">{ago(card.last_activity_at, now)}</span>
      </div>
      <h2 className="card-title">
        <Link to="/sessions/$id" params={{ id: card.id }} className="card-link" aria-label={heard}>
          {called}
        </Link>
      </h2>
      <p className="card-preview">{plainWords(card.preview) || 'No messages yet.'}</p>
      <p
        className="hint truncate"
        title={`${card.agent_name} · ${providerName(card.provider)} · ${card.model}`}
      >
        {card.agent_name} · {providerName(card.provider)} · {card.model}
      </p>
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="card-foot">
        <span className="mono" title={`${whole(tokens(card.totals))} tokens`}>
          {short(tokens(card.totals))} tokens
        </span>
        <span className="mono">{cost(card.totals)}</span>
        <span className="card-actions">
          <button
            type="button"
            className="button small quiet"
            aria-label={`${archived ? 'Restore' : 'Archive'} ${heard}`}
            onClick={() => void archive()}
          >
            {archived ? 'Restore' : 'Archive'}
          </button>
          <button
            type="button"
            className="button small quiet"
            aria-label={`Delete ${heard}`}
            onClick={() => setDeleting(true)}
          >
            Delete
          </button>
        </span>
      </div>
      {deleting && (
        <DeleteDialog
          title={`Delete “${called}”?`}
          act="Delete session"
          remove={() => client.deleteSession({ params: { session_id: card.id } })}
          onClose={(deleted) => {
            setDeleting(false);
            if (!deleted) return;
            forgetTyped(card.id);
            onChanged?.();
          }}
        >
          Its whole history goes and cannot be brought back. The files it worked on stay, and what it cost
          stays counted. Archiving hides it and keeps everything.
        </DeleteDialog>
      )}
    </li>
  );
}
