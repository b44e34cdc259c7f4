import type { CredentialId } from '@maestro/protocol';
import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
} from '@tanstack/react-router';
import { isProvider } from './live/facts.ts';
import { failureOf } from './live/maestro.ts';
import { Shell } from './shell/Shell.tsx';
import type { KeysSearch } from './ui/KeysLink.tsx';
import { type Grouping, isGrouping, isPeriod, type Period } from './usage/usage-words.ts';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <div className="page-note">
      <h1>There is no such page</h1>
      <p>
        <Link to="/">Go to the dashboard</Link>
      </p>
    </div>
  ),
});

const dashboard = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: (search: Record<string, unknown>): { new?: boolean; archived?: boolean } => ({
    ...(search['new'] === true && { new: true }),
    ...(search['archived'] === true && { archived: true }),
  }),
  component: lazyRouteComponent(() => import('./dashboard/Dashboard.tsx'), 'Dashboard'),
});

const session = createRoute({
  getParentRoute: () => root,
  path: '/sessions/$id',
  component: lazyRouteComponent(() => import('./chat/ChatPage.tsx'), 'ChatPage'),
});

const auth = createRoute({
  getParentRoute: () => root,
  path: '/auth',
  validateSearch: (search: Record<string, unknown>): KeysSearch => ({
    ...(isProvider(search['provider']) && { provider: search['provider'] }),
    ...(typeof search['service'] === 'string' && { service: search['service'] }),
    ...(search['login'] === true && { login: true }),
    ...(typeof search['credential'] === 'string' && { credential: search['credential'] as CredentialId }),
  }),
  component: lazyRouteComponent(() => import('./auth/AuthPage.tsx'), 'AuthPage'),
});

const usage = createRoute({
  getParentRoute: () => root,
  path: '/usage',
  validateSearch: (search: Record<string, unknown>): { by?: Grouping; period?: Period } => ({
    ...(isGrouping(search['by']) && { by: search['by'] }),
    ...(isPeriod(String(search['period'])) && { period: String(search['period']) as Period }),
  }),
  component: lazyRouteComponent(() => import('./usage/UsagePage.tsx'), 'UsagePage'),
});

/** A fault of the page itself. Nothing is lost: the work runs in the server. */
const Fault = ({ error }: ErrorComponentProps) => (
  <div className="page-note" role="alert">
    <h1>This page has stumbled</h1>
    <p className="muted">
      The sessions are not affected: they run in the server. Loading the page again usually helps.
    </p>
    <p className="mono">{failureOf(error).message}</p>
    <p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Load again
      </button>
    </p>
  </div>
);

export const router = createRouter({
  defaultErrorComponent: Fault,
  routeTree: root.addChildren([dashboard, session, auth, usage]),
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
