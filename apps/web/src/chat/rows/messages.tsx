import type { Attachment, ItemOf } from '@maestro/protocol';
import { Link } from '@tanstack/react-router';
import { Markdown } from '../../markdown/Markdown.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { fileSize } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { KeysLink } from '../../ui/KeysLink.tsx';

export function UserMessage({ item }: { item: ItemOf<'user_message'> }) {
  return (
    <article className="row user" aria-label="You">
      <div className="user-ground">
        {item.data.text && <p className="user-text">{item.data.text}</p>}
        <Attachments list={item.data.attachments ?? []} />
      </div>
      <div className="row-actions">
        <CopyButton text={() => item.data.text} label="Copy your message" />
      </div>
    </article>
  );
}

export function AgentMessage({ item }: { item: ItemOf<'agent_message'> }) {
  const streaming = item.status === 'streaming';
  return (
    <article className="row agent" aria-label="Agent" aria-busy={streaming}>
      <Markdown text={item.data.text} finished={!streaming} />
      {!streaming && item.status !== 'done' && <p className="hint">Cut short</p>}
      {!streaming && (
        <div className="row-actions">
          <CopyButton text={() => item.data.text} label="Copy the answer" />
        </div>
      )}
    </article>
  );
}

export const Attachments = ({ list }: { list: readonly Attachment[] }) => {
  if (list.length === 0) return null;
  return (
    <ul className="attachments">
      {list.map((one) => (
        <li key={one.blob_id}>
          <a href={`/api/v1/blobs/${one.blob_id}`} target="_blank" rel="noopener noreferrer">
            {one.media_type.startsWith('image/') ? (
              <img src={`/api/v1/blobs/${one.blob_id}`} alt={one.name ?? 'Attached image'} loading="lazy" />
            ) : (
              <span className="attachment-file">
                <Icon name="file" />
                {one.name ?? one.media_type} · {fileSize(one.size)}
              </span>
            )}
          </a>
        </li>
      ))}
    </ul>
  );
};

const noticeIcon = { info: 'info', warning: 'warning', error: 'warning' } as const;

/** Something that happened to the session: a changed model, a retry, a failure with what to do about it. */
export function Notice({ item }: { item: ItemOf<'notice'> }) {
  const { level, text, remedy, cause } = item.data;
  return (
    <div className={`row notice ${level}`}>
      <Icon name={noticeIcon[level]} />
      <div>
        <p>
          {level === 'error' && <span className="visually-hidden">Error: </span>}
          {text}
        </p>
        {remedy && <p className="notice-remedy">{remedy}</p>}
        {cause === 'auth' && (
          <p>
            <KeysLink />
          </p>
        )}
      </div>
    </div>
  );
}

export function Question({ item }: { item: ItemOf<'question'> }) {
  const answered = item.data.action !== undefined;
  return (
    <div className="row ask">
      <p className="ask-title">{answered ? 'Question, answered' : 'The agent asks'}</p>
      <p className="user-text">{item.data.text}</p>
      {!answered && item.status === 'pending' && <p className="hint">Answer with your next message.</p>}
    </div>
  );
}

export function ChildRow({ item }: { item: ItemOf<'child'> }) {
  return (
    <div className="row notice info">
      <Icon name="panel" />
      <div>
        <p>
          Sub-agent:{' '}
          <Link to="/sessions/$id" params={{ id: item.data.session_id }}>
            {item.title ?? 'open its session'}
          </Link>
        </p>
        {item.data.summary && <p className="notice-remedy">{item.data.summary}</p>}
      </div>
    </div>
  );
}
