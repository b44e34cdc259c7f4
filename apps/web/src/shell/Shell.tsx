import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useNeedsYou } from '../live/cards.ts';
import { followServer, useNeededLogins, useServerFacts } from '../live/facts.ts';
import { access } from '../live/maestro.ts';
import { useSignal } from '../live/signal.ts';
import { Announcer } from '../ui/announcer.tsx';
import { useMedia } from '../ui/clock.ts';
import { Icon } from '../ui/icons.tsx';
import { ThemeToggle } from '../ui/theme.tsx';
import { ChannelList } from './ChannelList.tsx';
import { ConnectionState } from './ConnectionState.tsx';
import { Entry } from './Entry.tsx';
import './shell.css';
import { later } from '../ui/later.tsx';

const Drawer = later(() => import('../ui/Drawer.tsx'));

/** The frame of every page: places, connection, and the list of sessions beside the page. */
export function Shell() {
  const entry = useSignal(access);
  if (entry !== 'in') return <Entry state={entry} />;
  return <Frame />;
}

function Frame() {
  const narrow = useMedia('(max-width: 900px)');
  const [drawer, setDrawer] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const inChat = path.startsWith('/sessions/');
  const needsYou = useNeedsYou();
  const neededLogins = useNeededLogins();
  const loginWords = neededLogins === 1 ? '1 login is over' : `${neededLogins} logins are over`;
  const facts = useServerFacts();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of page closes the drawer
  useEffect(() => setDrawer(false), [path]);
  useEffect(followServer, []);
  useEffect(() => {
    document.title = needsYou > 0 ? `(${needsYou}) Maestro` : 'Maestro';
  }, [needsYou]);

  return (
    <div className={`shell${inChat && !narrow ? ' with-list' : ''}`}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="bar">
        {inChat && narrow && (
          <button
            type="button"
            className="button icon quiet"
            aria-label="Show sessions"
            onClick={() => setDrawer(true)}
          >
            <Icon name="menu" />
          </button>
        )}
        <Link to="/" className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path d="M16 3c8 0 13 5 13 13s-5 13-13 13H5a2 2 0 0 1-2-2V16C3 8 8 3 16 3Z" fill="currentColor" />
          </svg>
          <span>Maestro</span>
        </Link>
        <nav aria-label="Places" className="places">
          <Link to="/" className="place" activeOptions={{ exact: true }}>
            Dashboard
          </Link>
          <Link to="/usage" className="place" activeOptions={{ includeSearch: false }}>
            Usage
          </Link>
          <Link to="/auth" className="place" activeOptions={{ includeSearch: false }}>
            Keys & accounts
            {neededLogins > 0 && (
              <span className="badge" title={loginWords}>
                <span aria-hidden="true">{neededLogins}</span>
                <span className="visually-hidden">, {loginWords}</span>
              </span>
            )}
          </Link>
        </nav>
        <span className="bar-space" />
        {needsYou > 0 && (
          <Link to="/" className="needs-you">
            <span className="mark waiting">
              <span className="mark-shape" aria-hidden="true" />
              {needsYou === 1 ? '1 session needs you' : `${needsYou} sessions need you`}
            </span>
          </Link>
        )}
        <ConnectionState />
        <ThemeToggle />
      </header>
      {facts?.demo && (
        <p className="demo">
          <strong>Demo.</strong> A simulator answers in place of the vendors: no key is needed, nothing is
          billed.
        </p>
      )}
      <div className="body">
        {inChat && !narrow && <ChannelList />}
        <main id="main" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      {drawer && (
        <Drawer side="left" title="Sessions" onClose={() => setDrawer(false)}>
          <ChannelList />
        </Drawer>
      )}
      <Announcer />
    </div>
  );
}
