import {
  type ErrorCode,
  errorCodes,
  type Route,
  type RouteId,
  type RouteInput,
  type RouteOutput,
  type Routes,
  routes,
} from '@maestro/protocol';

/** What a call of the API ends in when it does not succeed. `status` 0: the server was not reached. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly code: ErrorCode | 'unreachable';
  readonly field: string | undefined;
  readonly retry_after_s: number | undefined;

  constructor(
    status: number,
    code: ErrorCode | 'unreachable',
    message: string,
    more: { field?: string; retry_after_s?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retry_after_s = more.retry_after_s;
  }
}

/** What is asked of the server: a whole text or bytes at most, never a stream. */
export interface AskInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly credentials: 'same-origin';
  readonly signal?: AbortSignal;
}

/** The part of `fetch` that is used here. Rejects where the server is not reached. */
export type Ask = (
  address: string,
  init: AskInit,
) => Promise<Pick<Response, 'ok' | 'status' | 'text' | 'json' | 'arrayBuffer'>>;

export interface ClientOptions {
  /** `http://127.0.0.1:4747`, or `''` for the page's own origin. */
  readonly base_url: string;
  /** Bearer token; a browser page leaves it out and is known by its cookie. */
  readonly token?: string;
  /** In place of the platform's `fetch`. */
  readonly ask?: Ask;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Type of raw bytes that are sent. */
  readonly content_type?: string;
}

/** A part that may be left out when all it holds has a default. */
type Loose<T> = {
  [K in keyof T as object extends T[K] ? never : K]: T[K];
} & { [K in keyof T as object extends T[K] ? K : never]?: T[K] };
/** What a call of `R` takes: only the parts the route names. */
export type CallInput<R extends Route> = Loose<Pick<RouteInput<R>, keyof RouteInput<R> & keyof R>>;

type Call<R extends Route> =
  object extends CallInput<R>
    ? (input?: CallInput<R>, options?: CallOptions) => Promise<RouteOutput<R>>
    : (input: CallInput<R>, options?: CallOptions) => Promise<RouteOutput<R>>;

/** One method for each route of the contract. Every failure is thrown as `ApiFailure`. */
export type Client = { readonly [K in RouteId]: Call<Routes[K]> };

interface Parts {
  readonly params?: Record<string, unknown>;
  readonly query?: Record<string, unknown>;
  readonly body?: unknown;
}

const addressOf = (base: string, route: Route, { params, query }: Parts): string => {
  const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(params?.[name] ?? '')),
  );
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return `${base.replace(/\/$/, '')}${path}${search === '' ? '' : `?${search}`}`;
};

const failureOf = async (response: Awaited<ReturnType<Ask>>): Promise<ApiFailure> => {
  const error = part(parseJson(await response.text()), 'error');
  const [said, message, field, wait] = ['code', 'message', 'field', 'retry_after_s'].map((name) =>
    part(error, name),
  );
  const code = errorCodes.find((each) => each === said);
  if (!code || typeof message !== 'string')
    return new ApiFailure(
      response.status,
      'internal',
      `The server answered ${response.status} without a reason.`,
    );
  return new ApiFailure(response.status, code, message, {
    ...(typeof field === 'string' && { field }),
    ...(typeof wait === 'number' && { retry_after_s: wait }),
  });
};

/** Without a schema: those are most of what a page would have to load before it shows anything. */
const part = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A thin layer over `fetch`, typed by the route contract. It keeps no state. */
export const createClient = ({ base_url, token, ask = fetch }: ClientOptions): Client => {
  const call = async (route: Route, parts: Parts = {}, options: CallOptions = {}): Promise<unknown> => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    let body: AskInit['body'];
    if (parts.body instanceof Uint8Array) {
      headers['content-type'] = options.content_type ?? 'application/octet-stream';
      body = new Uint8Array(parts.body);
    } else if (parts.body !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(parts.body);
    }
    const address = addressOf(base_url, route, parts);
    const init: AskInit = {
      method: route.method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    };
    let response: Awaited<ReturnType<Ask>>;
    try {
      response = await ask(address, init);
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      throw new ApiFailure(0, 'unreachable', `The server does not answer at ${base_url || 'this address'}.`, {
        cause,
      });
    }
    if (!response.ok) throw await failureOf(response);
    if (route.response === 'none') return undefined;
    if (route.response === 'bytes') return new Uint8Array(await response.arrayBuffer());
    return response.json();
  };
  const methods = Object.values<Route>(routes).map((route) => [
    route.id,
    (parts?: Parts, options?: CallOptions) => call(route, parts, options),
  ]);
  // The server of the same protocol version is trusted to answer as the contract says.
  return Object.fromEntries(methods) as Client;
};
