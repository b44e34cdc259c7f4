import type { ServerFacts } from '@maestro/protocol';
import { useServerFacts, useStats } from '../live/facts.ts';
import { duration } from '../ui/format.ts';

const engineWords: Record<ServerFacts['database']['engine'], string> = {
  managed: ', managed',
  url: ', by URL',
  pglite: ', inside the server (PGlite)',
};

/** What the server uses now, live, with the last two minutes as a line. */
export function StatsPanel() {
  const history = useStats();
  const facts = useServerFacts();
  const now = history.at(-1);
  return (
    <aside className="stats" aria-labelledby="server-title">
      <h2 id="server-title">Server</h2>
      {!now && <p className="muted">Measuring…</p>}
      {now && (
        <>
          <Gauge
            name="CPU"
            value={`${now.cpu_percent.toFixed(0)} %`}
            values={history.map((one) => one.cpu_percent)}
            least={100}
          />
          <Gauge
            name="Memory"
            value={`${Math.round(now.memory_mb)} MB`}
            values={history.map((one) => one.memory_mb)}
            least={256}
          />
          <dl className="facts">
            <dt>Sessions at work</dt>
            <dd>{now.sessions_running}</dd>
            <dt>Open connections</dt>
            <dd>{now.sockets}</dd>
            <dt>Event loop, p99</dt>
            <dd>{now.event_loop_p99_ms.toFixed(1)} ms</dd>
            <dt>Up for</dt>
            <dd>{duration(now.uptime_s * 1000)}</dd>
          </dl>
        </>
      )}
      {facts && (
        <dl className="facts">
          <dt>Database</dt>
          <dd>
            PostgreSQL {facts.database.version}
            {engineWords[facts.database.engine]}
          </dd>
          <dt>Data folder</dt>
          <dd className="mono wrap">{facts.data_folder}</dd>
          <dt>Version</dt>
          <dd>{facts.version}</dd>
        </dl>
      )}
    </aside>
  );
}

function Gauge(props: { name: string; value: string; values: readonly number[]; least: number }) {
  return (
    <div className="gauge">
      <span className="gauge-name">{props.name}</span>
      <span className="gauge-value">{props.value}</span>
      <Sparkline values={props.values} top={Math.max(props.least, ...props.values)} />
    </div>
  );
}

const width = 240;
const height = 36;

/** The course of a value; the newest at the right. The value itself stands beside it as text. */
function Sparkline({ values, top }: { values: readonly number[]; top: number }) {
  const step = width / 59;
  const left = width - (values.length - 1) * step;
  const points = values.map(
    (value, index) =>
      `${(left + index * step).toFixed(1)},${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`,
  );
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <line x1="0" y1={height - 0.5} x2={width} y2={height - 0.5} className="spark-base" />
      {points.length > 2 && <polyline points={points.join(' ')} className="spark-line" />}
    </svg>
  );
}
