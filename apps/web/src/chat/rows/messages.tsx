import type { Attachment, ItemOf } from '@maestro/protocol';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useIsLastAnswer, useSession, useWatch } from '../../live/session.ts';
import { Markdown } from '../../markdown/Markdown.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { fileSize } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { KeysLink } from '../../ui/KeysLink.tsx';
import { later } from '../../ui/later.tsx';
import { useBranching } from '../branching.ts';
import { messageEdits } from '../edits.ts';
import { BranchProblem, ForkAction } from './ForkAction.tsx';
import { RowAction } from './RowAction.tsx';

const EditBox = later(
  () => import('../EditBox.tsx'),
  ({ text }) => <p className="user-text">{text}</p>,
);

/** What the person said. Editing it, or forking after it, goes on in a new branch. */
export function UserMessage({ item }: { item: ItemOf<'user_message'> }) {
  const { id: session } = useWatch();
  const branching = useBranching();
  const [editing, setEditing] = useState(() => messageEdits.get(session, item.id) !== undefined);
  const { text } = item.data;
  const edit = (on: boolean): void => {
    if (on) messageEdits.set(session, item.id, text, text);
    else messageEdits.end(session, item.id);
    setEditing(on);
  };
  const editButton = useRef<HTMLButtonElement>(null);
  const wasLeft = useRef(false);
  useEffect(() => {
    if (editing || !wasLeft.current) return;
    wasLeft.current = false;
    editButton.current?.focus({ preventScroll: true });
  }, [editing]);
  return (
    <article className="row user" aria-label="You">
      <div className="user-ground">
        {editing ? (
          <EditBox
            label="Edit your message"
            called={text.slice(0, 60)}
            text={messageEdits.get(session, item.id) ?? text}
            act="Send again"
            hint={branching.reason ?? 'Goes on in a new branch. This one is kept.'}
            busy={branching.reason !== null}
            problem={branching.problem}
            onChange={(now) => messageEdits.set(session, item.id, now, text)}
            onDone={(now) => {
              void branching.sendAgain(item.id, now).then((sent) => sent && edit(false));
            }}
            onCancel={() => {
              wasLeft.current = true;
              edit(false);
            }}
          />
        ) : (
          text && <p className="user-text">{text}</p>
        )}
        <Attachments list={item.data.attachments ?? []} />
      </div>
      {!editing && (
        <>
          <div className="row-actions">
            <CopyButton text={() => text} label="Copy your message" />
            <RowAction
              ref={editButton}
              icon="edit"
              name="Edit"
              title="Edit and send again, in a new branch"
              reason={branching.reason}
              onAct={() => edit(true)}
            />
            <ForkAction id={item.id} branching={branching} />
          </div>
          <BranchProblem branching={branching} />
        </>
      )}
    </article>
  );
}

export function AgentMessage({ item }: { item: ItemOf<'agent_message'> }) {
  const streaming = item.status === 'streaming';
  const branching = useBranching();
  const last = useIsLastAnswer(item.id);
  return (
    <article className="row agent" aria-label="Agent" aria-busy={streaming}>
      <Markdown text={item.data.text} finished={!streaming} />
      {!streaming && item.status !== 'done' && <p className="hint">Cut short</p>}
      {!streaming && (
        <div className="row-actions">
          <CopyButton text={() => item.data.text} label="Copy the answer" />
          {last && (
            <RowAction
              icon="retry"
              name="Retry"
              title="Answer again, in a new branch"
              reason={branching.reason}
              onAct={() => void branching.retry()}
            />
          )}
          <ForkAction id={item.id} branching={branching} />
        </div>
      )}
      <BranchProblem branching={branching} />
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
            <MendLink />
          </p>
        )}
      </div>
    </div>
  );
}

/** To the credential this session uses. */
function MendLink() {
  const session = useSession();
  return <KeysLink provider={session?.provider} kind={session?.auth_type} />;
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
