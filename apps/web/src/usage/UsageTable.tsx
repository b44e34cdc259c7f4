import type { Totals, UsageLine } from '@maestro/protocol';
import { cost, tokens, whole } from '../ui/format.ts';
import { type Grouping, groupings, keyWords, type Measure } from './usage-words.ts';

const width = 200;
const height = 14;

const amountOf = (totals: Totals, measure: Measure): number =>
  measure === 'cost' ? Number(totals.cost_usd) : tokens(totals);

/** A line for each key with its bar; every bar stands beside its figures. `by` is null while other lines are on their way. */
export function UsageTable(props: { by: Grouping | null; measure: Measure; lines: readonly UsageLine[] }) {
  const { by, measure, lines } = props;
  if (lines.length === 0) return <p className="muted">Nothing was used in this time.</p>;
  const top = Math.max(...lines.map((line) => amountOf(line.totals, measure)));
  return (
    <div className="table-place" aria-busy={by === null}>
      <table className="table usage-table">
        <thead>
          <tr>
            <th scope="col">{by ? groupings[by] : '…'}</th>
            <th scope="col">{measure === 'cost' ? 'Cost' : 'Tokens'}, as a bar</th>
            <th scope="col" className="figure">
              Cost
            </th>
            <th scope="col" className="figure">
              Input
            </th>
            <th scope="col" className="figure">
              Output
            </th>
            <th scope="col" className="figure">
              Calls
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, totals }) => (
            <tr key={key}>
              <th scope="row" className="wrap">
                {by ? keyWords(by, key) : key}
              </th>
              <td className="bar-place">
                <Bar share={top > 0 ? amountOf(totals, measure) / top : 0} />
              </td>
              <td className="figure">{cost(totals)}</td>
              <td className="figure">{whole(totals.request_tokens)}</td>
              <td className="figure">{whole(totals.response_tokens)}</td>
              <td className="figure">{whole(totals.calls)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Its value stands in the same row as text, so it says nothing to a screen reader. */
const Bar = ({ share }: { share: number }) => (
  <svg
    className="bar-line"
    viewBox={`0 0 ${width} ${height}`}
    preserveAspectRatio="none"
    aria-hidden="true"
    focusable="false"
  >
    <rect className="bar-ground" x="0" y="0" width={width} height={height} />
    {share > 0 && (
      <rect className="bar-value" x="0" y="0" width={Math.max(2, share * width)} height={height} />
    )}
  </svg>
);
