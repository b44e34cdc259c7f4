import type { z } from 'zod';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One API operation as plain data. The server registers it, the client infers its types from it and OpenAPI is
 * emitted from it. `body: 'bytes'` takes the raw request body; `response: 'bytes'` answers raw bytes.
 */
export interface Route {
  readonly id: string;
  readonly method: Method;
  /** Fastify style: `/api/v1/sessions/:session_id`. */
  readonly path: string;
  readonly summary: string;
  /** true: answers without a credential. Only health and the launch-code exchange. */
  readonly open?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType | 'bytes';
  readonly response: z.ZodType | 'bytes' | 'none';
  readonly status: 200 | 201 | 202 | 204;
}

export const route = <const R extends Route>(definition: R): R => definition;

type In<T> = T extends z.ZodType ? z.input<T> : T extends 'bytes' ? Uint8Array : undefined;
type Out<T> = T extends z.ZodType ? z.output<T> : T extends 'bytes' ? Uint8Array : undefined;

/** What a client passes to call `R`. */
export type RouteInput<R extends Route> = {
  [K in 'params' | 'query' | 'body' as R[K] extends undefined ? never : K]: In<R[K]>;
};
/** What a handler of `R` receives: parsed, defaults filled in. */
export type RouteParsed<R extends Route> = {
  [K in 'params' | 'query' | 'body' as R[K] extends undefined ? never : K]: Out<R[K]>;
};
export type RouteOutput<R extends Route> = Out<R['response']>;
