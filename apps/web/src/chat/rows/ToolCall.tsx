import type { ItemOf } from '@maestro/protocol';
import { useId } from 'react';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { useNow } from '../../ui/clock.ts';
import { duration } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { DiffView, diffCounts } from './DiffView.tsx';
import { ForkOfOpened } from './ForkAction.tsx';
import { Attachments } from './messages.tsx';
import { useOpen } from './open-rows.ts';
import { diffOf, exitCodeOf, mainArgument, toolIcon, toolState, toolStateIcon } from './tool-words.ts';

/** A tool call: name, main argument, state and time in one line; input, live output and changes when opened. */
export function ToolCall({ item }: { item: ItemOf<'tool_call'> }) {
  const [open, toggle] = useOpen(item.id, false);
  const body = useId();
  const { data } = item;
  const diff = diffOf(data.details);
  const counts = diff ? diffCounts(diff) : null;
  const argument = mainArgument(data.input);

  return (
    <div className={`row tool ${item.status}`}>
      <button
        type="button"
        className="fold tool-line"
        aria-expanded={open}
        aria-controls={body}
        onClick={toggle}
      >
        <span className={`fold-arrow${open ? ' open' : ''}`}>
          <Icon name="chevron" />
        </span>
        <Icon name={toolIcon(data.name)} />
        <span className="tool-name">{data.server ? `${data.server}: ${data.name}` : data.name}</span>
        <span className="tool-argument truncate" title={argument}>
          {argument}
        </span>
        {counts && (
          <span className="tool-counts">
            <span className="added">+{counts.added}</span> <span className="removed">−{counts.removed}</span>
          </span>
        )}
        <span className="tool-state">
          <Icon name={toolStateIcon(item)} />
          {toolState(item)}
        </span>
        <Elapsed item={item} />
      </button>
      <div id={body} hidden={!open} className="tool-body">
        {open && <ToolBody item={item} diff={diff} />}
      </div>
    </div>
  );
}

function Elapsed({ item }: { item: ItemOf<'tool_call'> }) {
  const { started_at, ended_at } = item.data;
  const running = started_at !== undefined && ended_at === undefined && item.status === 'running';
  const now = useNow(500, running);
  if (!started_at || (!ended_at && !running)) return <span className="tool-time" />;
  const end = ended_at ? Date.parse(ended_at) : now;
  return <span className="tool-time">{duration(end - Date.parse(started_at))}</span>;
}

function ToolBody({ item, diff }: { item: ItemOf<'tool_call'>; diff: string | null }) {
  const { data } = item;
  const input = data.input === undefined ? data.input_text : JSON.stringify(data.input, null, 2);
  const exit = exitCodeOf(data.details);
  const streams = Boolean(data.stdout || data.stderr);
  return (
    <>
      {item.title && <p className="hint">{item.title}</p>}
      {diff && <DiffView diff={diff} />}
      {input && <Part title="Input" text={input} />}
      {data.stdout && <Part title="Standard output" text={data.stdout} />}
      {data.stderr && <Part title="Standard error" text={data.stderr} />}
      {data.output && !streams && <Part title="Output" text={data.output} />}
      {data.error && <Part title="Error" text={data.error} bad />}
      {exit !== null && !item.title && <p className="hint">Exit code {exit}</p>}
      <Attachments list={data.images ?? []} />
      {data.output_blob && (
        <p>
          <a href={`/api/v1/blobs/${data.output_blob}`} target="_blank" rel="noopener noreferrer">
            Open the whole output
          </a>
        </p>
      )}
      {item.status === 'unknown' && (
        <p className="hint">The server stopped while this ran. Look before running it again.</p>
      )}
      <ForkOfOpened id={item.id} />
    </>
  );
}

/** Long text is shown from its end while it grows, whole on demand by the link to the blob. */
const shownCharacters = 20_000;

function Part({ title, text, bad }: { title: string; text: string; bad?: boolean }) {
  const cut = text.length > shownCharacters;
  return (
    <section className={`tool-part${bad ? ' bad' : ''}`}>
      <header>
        <h3>{title}</h3>
        <CopyButton text={() => text} label={`Copy: ${title}`} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <pre tabIndex={0}>
        {cut && `… ${text.length - shownCharacters} characters before\n`}
        {cut ? text.slice(-shownCharacters) : text}
      </pre>
    </section>
  );
}
