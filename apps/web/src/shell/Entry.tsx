import type { Access } from '../live/maestro.ts';
import { Icon } from '../ui/icons.tsx';
import './shell.css';

/** What a browser without a credential sees: why, and the ways in. */
export function Entry({ state }: { state: Exclude<Access, 'in'> }) {
  if (state === 'checking')
    return (
      <main className="entry" aria-busy="true">
        <p className="muted">Opening Maestro…</p>
      </main>
    );
  return (
    <main className="entry">
      <div className="entry-card">
        <svg className="entry-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
          <path d="M16 3c8 0 13 5 13 13s-5 13-13 13H5a2 2 0 0 1-2-2V16C3 8 8 3 16 3Z" fill="currentColor" />
        </svg>
        <h1>{title[state]}</h1>
        <p className="muted">{reason[state]}</p>
        <h2 className="entry-ways">Two ways in</h2>
        <ol>
          <li>
            <span>
              Start Maestro in a terminal: it opens this page with a one-time code.
              <code>npm start</code>
            </span>
          </li>
          <li>
            <span>
              If it runs already, let it open this page again:
              <code>npm run maestro -- open</code>
            </span>
          </li>
        </ol>
        <p className="hint entry-note">
          <Icon name="info" />
          <span>
            The long token printed by <code className="plain">maestro token</code> is for the terminal app and
            for scripts. This page never asks for it and does not keep it: the browser gets a cookie of its
            own.
          </span>
        </p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Try again
        </button>
      </div>
    </main>
  );
}

const title: Record<Exclude<Access, 'in' | 'checking'>, string> = {
  out: 'This browser is not signed in',
  spent: 'This link has been used or is too old',
  unreachable: 'Maestro does not answer',
};

const reason: Record<Exclude<Access, 'in' | 'checking'>, string> = {
  out: 'Maestro runs commands on your machine, so it only answers browsers that it opened itself.',
  spent: 'A link to Maestro works once and for one minute. Ask for a fresh one.',
  unreachable: 'The server is not running, or not at this address. Start it and this page will work again.',
};
