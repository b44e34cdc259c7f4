import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { useCardIds, useCardsLive } from '../live/cards.ts';
import { useProviders } from '../live/facts.ts';
import { client, failureOf } from '../live/maestro.ts';
import { askAgain, useAskAgain } from '../live/queries.ts';
import { useNow } from '../ui/clock.ts';
import { Icon } from '../ui/icons.tsx';
import { KeysLink } from '../ui/KeysLink.tsx';
import { toldApart } from '../ui/told-apart.ts';
import { NewSession } from './NewSession.tsx';
import { ArchivedCard, SessionCard } from './SessionCard.tsx';
import { StatsPanel } from './StatsPanel.tsx';
import './dashboard.css';
import { later, useCalm } from '../ui/later.tsx';

const Modal = later(() => import('../ui/Modal.tsx'));

/** `/`: a live card for each session, the form for a new one, and what the server uses. */
export function Dashboard() {
  useCalm();
  const known = useCardsLive();
  const ids = useCardIds('all');
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const open = search.new === true;
  const archived = search.archived === true;
  const show = (what: { new?: boolean; archived?: boolean }): void =>
    void navigate({
      to: '/',
      search: { ...(what.new && { new: true }), ...(what.archived && { archived: true }) },
      replace: true,
    });
  const setOpen = (on: boolean): void => show({ new: on, archived });
  const now = useNow(30_000);
  const empty = known && ids.length === 0;

  return (
    <div className="dashboard">
      <section className="dashboard-main" aria-labelledby="sessions-title">
        <div className="dashboard-head">
          <h1 id="sessions-title">Sessions</h1>
          <label className="check">
            <input
              type="checkbox"
              checked={archived}
              onChange={(event) => show({ archived: event.target.checked })}
            />
            Show archived
          </label>
          {!empty && (
            <button type="button" className="button primary" onClick={() => setOpen(true)}>
              <Icon name="plus" />
              New session
            </button>
          )}
        </div>
        {!known && ids.length === 0 && <p className="muted">Loading sessions…</p>}
        {empty && !open && (
          <div className="empty">
            <h2>Start your first session</h2>
            <p className="muted">
              Choose who answers and the folder it works in. You can change everything but the folder later.
            </p>
            <NoKeys />
            <NewSession onDone={() => undefined} />
          </div>
        )}
        <ul className="cards">
          {ids.map((id) => (
            <SessionCard key={id} id={id} now={now} />
          ))}
        </ul>
        {archived && <Archived now={now} />}
      </section>
      <StatsPanel />
      {open && (
        <Modal title="New session" onClose={() => setOpen(false)}>
          <NewSession onDone={() => undefined} onCancel={() => setOpen(false)} />
        </Modal>
      )}
    </div>
  );
}

/** Said where nobody can answer yet. */
function NoKeys() {
  const providers = useProviders().data;
  if (!providers || providers.some((one) => one.state === 'ready')) return null;
  return (
    <p className="banner warn">
      No provider is ready yet: they need a key, or a running Ollama. <KeysLink />
    </p>
  );
}

function Archived({ now }: { now: number }) {
  const queryKey = ['sessions', 'archived'];
  const list = useQuery({
    queryKey,
    queryFn: () => client.listSessions({ query: { archived: 'true', limit: 200 } }),
  });
  // One more or less among the others may have come from here, or gone there.
  const others = useCardIds('all').length;
  useAskAgain(queryKey, others);
  const cards = (list.data?.sessions ?? []).filter((card) => card.archived_at !== null);
  const names = toldApart(cards.map(({ title }) => title));
  return (
    <section aria-labelledby="archived-title" className="archived">
      <h2 id="archived-title">Archived</h2>
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && (
        <p className="banner error" role="alert">
          {failureOf(list.error).message}
        </p>
      )}
      {list.isSuccess && cards.length === 0 && <p className="muted">Nothing is archived.</p>}
      <ul className="cards">
        {cards.map((card, index) => (
          <ArchivedCard
            key={card.id}
            card={card}
            called={names[index] ?? card.title}
            now={now}
            onChanged={() => void askAgain(queryKey)}
          />
        ))}
      </ul>
    </section>
  );
}
