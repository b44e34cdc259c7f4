import type { SessionWatch } from '@maestro/client';
import type { ItemId, SessionId } from '@maestro/protocol';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { live } from '../live/maestro.ts';
import { SessionProvider, useOrder, useSession, useTurn, useWatch, useWatchState } from '../live/session.ts';
import { announce } from '../ui/announcer.tsx';
import { useMedia } from '../ui/clock.ts';
import { needsPerson } from '../ui/format.ts';
import { ChatHeader } from './ChatHeader.tsx';
import { Composer } from './Composer.tsx';
import { useEditsOfLost } from './edits-of-gone.ts';
import { Inspector } from './Inspector.tsx';
import { useInterrupt } from './interrupt.ts';
import { Queue } from './Queue.tsx';
import { StatusLine } from './StatusLine.tsx';
import { Transcript } from './Transcript.tsx';
import './chat.css';
import { later, useCalm } from '../ui/later.tsx';

const Drawer = later(() => import('../ui/Drawer.tsx'));

/** `/sessions/:id` */
export function ChatPage() {
  const { id } = useParams({ from: '/sessions/$id' });
  const [watch, setWatch] = useState<SessionWatch | null>(null);
  useEffect(() => {
    const opened = live().watchSession(id as SessionId);
    setWatch(opened);
    return () => opened.close();
  }, [id]);
  if (!watch || watch.id !== id) return <p className="page-note muted">Opening the session…</p>;
  return (
    <SessionProvider value={watch} key={id}>
      <Chat />
    </SessionProvider>
  );
}

function Chat() {
  const watch = useWatch();
  const state = useWatchState();
  const seen = useSession() !== null;
  if (seen && state.type !== 'gone') return <Ready />;
  if (state.type === 'loading' || state.type === 'stale' || state.type === 'live')
    return (
      <p className="page-note muted" aria-busy="true">
        Opening the session…
      </p>
    );
  return (
    <div className="page-note">
      <h1>{state.type === 'gone' ? 'This session does not exist' : 'This session cannot be opened'}</h1>
      <p className="muted">{state.type === 'failed' ? state.message : 'It may have been deleted.'}</p>
      <p className="dialog-actions">
        {state.type === 'failed' && (
          <button type="button" className="button" onClick={() => watch.resync()}>
            Try again
          </button>
        )}
        <Link to="/" className="button">
          All sessions
        </Link>
      </p>
    </div>
  );
}

function Ready() {
  const session = useSession();
  const order = useOrder();
  const wide = useMedia('(min-width: 1181px)');
  const [inspector, setInspector] = useState(false);
  const [focusItem, setFocusItem] = useState<{ id: ItemId; at: number } | null>(null);
  useStopByKey();
  useAnnouncements();
  useCalm();
  useEditsOfLost();
  if (!session) return null;

  return (
    <div className="chat">
      <section className="chat-main" aria-label={session.title}>
        <ChatHeader session={session} onInspector={wide ? null : () => setInspector(true)} />
        {order.length === 0 ? (
          <div className="transcript-frame">
            <div className="chat-empty">
              <h2>What should be done?</h2>
              <p className="muted">
                The agent works in <code>{session.working_directory}</code>. It keeps working when this page
                is closed.
              </p>
            </div>
          </div>
        ) : (
          <Transcript key={session.conversation_id} focusItem={focusItem} />
        )}
        <div className="dock">
          <StatusLine onApproval={(id) => setFocusItem({ id, at: Date.now() })} />
          <Queue />
          <Composer session={session} />
        </div>
      </section>
      {wide && (
        <aside className="inspector" aria-label="Session details">
          <Inspector session={session} />
        </aside>
      )}
      {!wide && inspector && (
        <Drawer side="right" title="Session details" onClose={() => setInspector(false)}>
          <div className="inspector in-drawer">
            <Inspector session={session} />
          </div>
        </Drawer>
      )}
    </div>
  );
}

/** Esc stops the running turn, unless a dialog or a list is open and wants it. */
const useStopByKey = (): void => {
  const { stop, running } = useInterrupt();
  useEffect(() => {
    if (!running) return;
    const listen = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (document.querySelector('[role="dialog"]')) return;
      event.preventDefault();
      stop();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [running, stop]);
};

const useAnnouncements = (): void => {
  const session = useSession();
  const turn = useTurn();
  const waits = session ? needsPerson(session) : false;
  const status = turn?.status ?? null;
  const [before, setBefore] = useState(status);
  const branch = session?.conversation_id ?? null;
  const [branchBefore, setBranchBefore] = useState(branch);
  useEffect(() => {
    if (waits) announce('The agent needs your approval.');
  }, [waits]);
  useEffect(() => {
    if (branch === branchBefore) return;
    setBranchBefore(branch);
    if (branchBefore !== null) announce('You are on another branch of this conversation.');
  }, [branch, branchBefore]);
  useEffect(() => {
    if (status === before) return;
    setBefore(status);
    if (status === 'running') announce('The agent is working.');
    else if (status === 'done') announce('The agent has finished.');
    else if (status === 'failed') announce('The turn failed.');
    else if (status === 'interrupted') announce('The turn was stopped.');
  }, [status, before]);
};
