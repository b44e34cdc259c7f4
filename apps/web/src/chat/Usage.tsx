import type { Session, UsageLine } from '@maestro/protocol';
import { useQuery } from '@tanstack/react-query';
import { client } from '../live/maestro.ts';
import { useAskAgain } from '../live/queries.ts';
import { useBusy } from '../live/session.ts';
import { cost, whole } from '../ui/format.ts';
import { activityName } from '../ui/words.ts';

/** What the session used: totals live, and what they were for as of the last turn's end. */
export function Usage({ session }: { session: Session }) {
  const { totals } = session;
  return (
    <section>
      <h2>Usage</h2>
      <dl className="totals">
        <dt>Cost</dt>
        <dd className="total-cost">{cost(totals)}</dd>
        <dt>Input</dt>
        <dd>{whole(totals.request_tokens)}</dd>
        {totals.cache_read_tokens > 0 && (
          <>
            <dt className="part">of it from cache</dt>
            <dd>{whole(totals.cache_read_tokens)}</dd>
          </>
        )}
        <dt>Output</dt>
        <dd>{whole(totals.response_tokens)}</dd>
        {totals.reasoning_tokens > 0 && (
          <>
            <dt className="part">of it thinking</dt>
            <dd>{whole(totals.reasoning_tokens)}</dd>
          </>
        )}
        <dt>Calls</dt>
        <dd>{whole(totals.calls)}</dd>
      </dl>
      {totals.unpriced_calls > 0 && (
        <p className="hint">
          The price of {totals.unpriced_calls === 1 ? 'one call' : `${totals.unpriced_calls} calls`} is not
          known.
        </p>
      )}
      {totals.estimated_calls > 0 && (
        <p className="hint">Some figures are our own estimate: the provider gave none.</p>
      )}
      {totals.calls > 0 && <Parts session={session} />}
    </section>
  );
}

/** Cost by activity and by model, and with sub-agents where there are any. */
function Parts({ session }: { session: Session }) {
  const running = useBusy();
  const queryKey = ['session usage', session.id];
  const { data } = useQuery({
    queryKey,
    queryFn: () => client.sessionUsage({ params: { session_id: session.id } }),
    staleTime: 0,
  });
  useAskAgain(queryKey, running);
  if (!data) return null;
  const withChildren = data.tree.calls > data.totals.calls;
  return (
    <>
      <Lines title="Cost by activity" lines={data.by_activity} nameOf={nameOfActivity} />
      {data.by_model.length > 1 && <Lines title="Cost by model" lines={data.by_model} nameOf={itself} />}
      {withChildren && (
        <dl className="totals">
          <dt>With sub-agents</dt>
          <dd>{cost(data.tree)}</dd>
        </dl>
      )}
    </>
  );
}

const itself = (key: string): string => key;
const nameOfActivity = (key: string): string =>
  Object.entries(activityName).find(([activity]) => activity === key)?.[1] ?? key;

const Lines = (props: { title: string; lines: readonly UsageLine[]; nameOf: (key: string) => string }) => (
  <>
    <h3>{props.title}</h3>
    <dl className="totals">
      {props.lines.map(({ key, totals }) => (
        <div key={key} className="totals-line">
          <dt className="wrap">{props.nameOf(key)}</dt>
          <dd>{cost(totals)}</dd>
        </div>
      ))}
    </dl>
  </>
);
