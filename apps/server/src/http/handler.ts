import type { Result } from '@maestro/ports';
import type { Route, RouteId, RouteOutput, RouteParsed, Routes } from '@maestro/protocol';
import type { Caller } from '../access/access.ts';

/** What a handler may know and say besides its input and output. */
export interface RequestContext {
  /** undefined on open routes. */
  readonly caller: Caller | undefined;
  readonly content_type: string | undefined;
  /** Adds a header to the answer. */
  header(name: string, value: string): void;
  /** Overrides the route's status. */
  status(code: number): void;
}

export type Handler<R extends Route> = (
  input: RouteParsed<R>,
  context: RequestContext,
) => Result<RouteOutput<R>> | Promise<Result<RouteOutput<R>>>;

/** One handler for each route of the contract. A resource file gives a `Pick` of it. */
export type Handlers = { readonly [K in RouteId]: Handler<Routes[K]> };
