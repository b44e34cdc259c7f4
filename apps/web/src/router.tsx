import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent } from '@tanstack/react-router';
import { Shell } from './shell/Shell.tsx';

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
  validateSearch: (search: Record<string, unknown>): { new?: boolean } =>
    search['new'] === true ? { new: true } : {},
  component: lazyRouteComponent(() => import('./dashboard/Dashboard.tsx'), 'Dashboard'),
});

const session = createRoute({
  getParentRoute: () => root,
  path: '/sessions/$id',
  component: lazyRouteComponent(() => import('./chat/ChatPage.tsx'), 'ChatPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([dashboard, session]),
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
