import type { Route } from '../route.ts';
import * as access from './access.ts';
import * as branches from './branches.ts';
import * as logins from './logins.ts';
import * as server from './server.ts';
import * as sessions from './sessions.ts';

/** Every operation of the API by its id. */
export const routes = { ...access, ...branches, ...logins, ...server, ...sessions } satisfies Record<
  string,
  Route
>;
export type Routes = typeof routes;
export type RouteId = keyof Routes;
