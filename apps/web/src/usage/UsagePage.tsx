import type { Totals } from '@maestro/protocol';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { cost, whole } from '../ui/format.ts';
import { UsageTable } from './UsageTable.tsx';
import {
  type Grouping,
  groupings,
  type Measure,
  type Period,
  periods,
  startOf,
  timeZone,
} from './usage-words.ts';
import './usage.css';

/** How often the figures are asked for again while the page is open, ms. */
const renew_ms = 10_000;

/** `/usage`: what was spent, by day, agent, provider, model, activity or what pays for it. It counts deleted sessions too. */
export function UsagePage() {
  const { by = 'day', period = '30' } = useSearch({ from: '/usage' });
  const navigate = useNavigate();
  const [measure, setMeasure] = useState<Measure>('cost');
  const show = (what: { by?: Grouping; period?: Period }): void =>
    void navigate({ to: '/usage', search: { by, period, ...what }, replace: true });

  const from = startOf(period, Date.now());
  const time_zone = timeZone();
  const report = useQuery({
    queryKey: ['usage', by, from],
    queryFn: () => client.usage({ query: { by, time_zone, ...(from && { from }) } }),
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: renew_ms,
  });

  return (
    <div className="usage">
      <div className="usage-head">
        <h1>Usage</h1>
        <label className="usage-choice">
          Time
          <select
            className="select"
            value={period}
            onChange={(event) => show({ period: event.target.value as Period })}
          >
            {Object.entries(periods).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label className="usage-choice">
          Bars show
          <select
            className="select"
            value={measure}
            onChange={(event) => setMeasure(event.target.value as Measure)}
          >
            <option value="cost">Cost</option>
            <option value="tokens">Tokens</option>
          </select>
        </label>
      </div>
      {report.isPending && <p className="muted">Adding up…</p>}
      {report.isError && (
        <p className="banner error" role="alert">
          The figures cannot be read: {failureOf(report.error).message}
        </p>
      )}
      {report.data && (
        <>
          <Sums total={report.data.total} />
          <fieldset className="usage-groupings">
            <legend className="visually-hidden">Grouped by</legend>
            {Object.entries(groupings).map(([value, name]) => (
              <button
                key={value}
                type="button"
                className="button small"
                aria-pressed={value === by}
                onClick={() => show({ by: value as Grouping })}
              >
                {name}
              </button>
            ))}
          </fieldset>
          <UsageTable by={report.data.by === by ? by : null} measure={measure} lines={report.data.lines} />
        </>
      )}
    </div>
  );
}

function Sums({ total }: { total: Totals }) {
  return (
    <section aria-label="All together">
      <dl className="sums">
        <div>
          <dt>Cost</dt>
          <dd>{cost(total)}</dd>
        </div>
        <div>
          <dt>Input tokens</dt>
          <dd>{whole(total.request_tokens)}</dd>
        </div>
        <div>
          <dt>of it from cache</dt>
          <dd>{whole(total.cache_read_tokens)}</dd>
        </div>
        <div>
          <dt>Output tokens</dt>
          <dd>{whole(total.response_tokens)}</dd>
        </div>
        <div>
          <dt>Calls</dt>
          <dd>{whole(total.calls)}</dd>
        </div>
      </dl>
      {total.unpriced_calls > 0 && (
        <p className="hint">
          “unknown”: the price of{' '}
          {total.unpriced_calls === 1 ? 'one call' : `${whole(total.unpriced_calls)} calls`} is not in the
          price table. It is not counted as nothing.
        </p>
      )}
      {total.estimated_calls > 0 && (
        <p className="hint">
          “about”: the provider gave no figures for some calls, so they are our own count.
        </p>
      )}
    </section>
  );
}
