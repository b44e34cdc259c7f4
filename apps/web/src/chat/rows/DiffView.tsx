/** Lines added and removed by a unified diff. */
export const diffCounts = (diff: string): { added: number; removed: number } => {
  let added = 0;
  let removed = 0;
  for (const line of diff.split('\n')) {
    if (line.startsWith('+') && !line.startsWith('+++')) added += 1;
    else if (line.startsWith('-') && !line.startsWith('---')) removed += 1;
  }
  return { added, removed };
};

const kindOf = (line: string): string => {
  if (line.startsWith('@@') || line.startsWith('+++') || line.startsWith('---')) return 'diff-head';
  if (line.startsWith('+')) return 'diff-added';
  if (line.startsWith('-')) return 'diff-removed';
  return '';
};

/** A unified diff with its signs kept, so that colour is never the only difference. */
export function DiffView({ diff }: { diff: string }) {
  const lines = diff.replace(/\n$/, '').split('\n').slice(0, 2000);
  return (
    <section className="tool-part">
      <header>
        <h3>Changes</h3>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <pre className="diff" tabIndex={0}>
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a finished diff do not move
          <span key={index} className={kindOf(line)}>
            {`${line}\n`}
          </span>
        ))}
      </pre>
    </section>
  );
}
