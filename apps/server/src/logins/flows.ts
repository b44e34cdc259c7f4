import { timingSafeEqual } from 'node:crypto';
import {
  type Clock,
  type CredentialStore,
  fail,
  type Log,
  type LoginAnswer,
  type LoginClient,
  type LoginStart,
  type LoginStore,
  ok,
  type Result,
  type StoredLogin,
} from '@maestro/ports';
import {
  type Credential,
  type CredentialId,
  type FlowId,
  type LoginFlow,
  type LoginMethod,
  type LoginProvider,
  newId,
} from '@maestro/protocol';
import { type Callback, listenForCallback } from './callback.ts';
import type { PageWords } from './callback-page.ts';
import {
  inWords,
  noFlow,
  notWaiting,
  noVendor,
  ofDevice,
  otherAccount,
  pasteAgain,
  refusedInput,
  stopped,
} from './flow-words.ts';
import { patiently, pause, settled } from './patiently.ts';
import { freeName, saveLogin } from './save-login.ts';
import type { Terms } from './terms.ts';

export interface StartInput {
  readonly method?: LoginMethod | undefined;
  readonly name: string;
  readonly credential_id?: CredentialId | undefined;
  readonly acknowledge_terms: boolean;
}

/** Logins from their address to their tokens (P8). */
export interface LoginFlows {
  start(provider: LoginProvider, input: StartInput): Promise<Result<LoginFlow>>;
  list(): Promise<LoginFlow[]>;
  get(id: FlowId): Promise<Result<LoginFlow>>;
  /** With what the person pasted. Once; a wrong state leaves it waiting. */
  complete(id: FlowId, typed: string): Promise<Result<{ flow: LoginFlow; credential: Credential }>>;
  cancel(id: FlowId): Promise<Result<undefined>>;
  /** Goes on with what the last stop left waiting. Only for a server that shares its database with none. */
  resume(): Promise<void>;
  close(): void;
  /** Waits, at most this long, until the codes that are being exchanged have become logins: a code works once. */
  settle(within_ms: number): Promise<void>;
}

export interface LoginFlowsDeps {
  readonly clients: ReadonlyMap<LoginProvider, LoginClient>;
  readonly store: LoginStore;
  readonly credentials: Pick<CredentialStore, 'list' | 'putLogin' | 'get'>;
  readonly terms: Terms;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after each change of a login. */
  readonly changed: () => void;
  /** Told of each credential that a login has made or renewed. */
  readonly made: (credential: Credential, renewed: boolean) => void;
}

const life_ms = 15 * 60_000;
/** One that is exchanged at its last moment may wait for the vendor and for the database. */
const grace_ms = 5 * 60_000;
/** What is asked of a vendor for a person who waits. */
const request_ms = 60_000;
/** The code for tokens, and what follows: Google may take two minutes to set up an account, and a code is good once. */
const exchange_ms = 240_000;

type Completed = Result<{ flow: LoginFlow; credential: Credential }>;

/** What this process does for one login while it waits. */
interface Waiting {
  readonly callback: Callback | undefined;
  readonly timer: NodeJS.Timeout;
  readonly abort: AbortController;
}

export const createLoginFlows = (deps: LoginFlowsDeps): LoginFlows => {
  const { clients, store, credentials, terms, clock, log } = deps;
  const waiting = new Map<FlowId, Waiting>();
  const exchanging = new Map<FlowId, Promise<Completed>>();
  let closed = false;

  const move: LoginStore['move'] = async (id, from, to) => {
    const moved = await store.move(id, from, to);
    if (moved) {
      if (moved.state !== 'waiting' && moved.state !== 'exchanging') forget(id);
      deps.changed();
    }
    return moved;
  };

  const forget = (id: FlowId): void => {
    const held = waiting.get(id);
    if (!held) return;
    waiting.delete(id);
    clearTimeout(held.timer);
    held.abort.abort();
    held.callback?.close();
  };

  /** One whose time is over, told so whoever looks first. */
  const current = async (login: StoredLogin): Promise<LoginFlow> => {
    const { flow } = login;
    const late_ms = clock.now() - Date.parse(flow.expires_at);
    if (late_ms < 0) return flow;
    if (flow.state === 'waiting') return (await move(flow.id, 'waiting', { state: 'expired' })) ?? flow;
    if (flow.state === 'exchanging' && late_ms > grace_ms)
      return (await move(flow.id, 'exchanging', { state: 'failed', message: stopped })) ?? flow;
    return flow;
  };

  /** Only for showing: the code is used up, so a database that is away for a moment must not lose the login here. */
  const accountOf = (id: CredentialId): Promise<string | null> =>
    credentials.get(id).then(
      (credential) => credential?.account ?? null,
      () => null,
    );

  /** `guessed`: what was typed shows no state of ours, so it may be no code at all; where it is refused, the right one may follow. */
  const exchange = async (
    login: StoredLogin,
    client: LoginClient,
    answer: LoginAnswer,
    guessed = false,
  ): Promise<Completed> => {
    const { id } = login.flow;
    const running = exchangeNow(login, client, answer, guessed);
    // Who comes second is refused, and must not take the place of who came first.
    if (!exchanging.has(id)) exchanging.set(id, running);
    try {
      return await running;
    } finally {
      if (exchanging.get(id) === running) exchanging.delete(id);
    }
  };

  const exchangeNow = async (
    login: StoredLogin,
    client: LoginClient,
    answer: LoginAnswer,
    guessed: boolean,
  ): Promise<Completed> => {
    const { id, provider } = login.flow;
    if (!(await move(id, 'waiting', { state: 'exchanging', message: null }))) {
      const now = await store.get(id);
      return now ? notWaiting(now.flow) : noFlow();
    }
    const given = await client.exchange(answer, AbortSignal.timeout(exchange_ms));
    if (!given.ok) {
      const { kind, error } = given.error;
      const mistyped = guessed && kind === 'refused' && error.cause === 'auth';
      const message = inWords(mistyped ? { ...error, remedy: pasteAgain } : error);
      log.warn('login.failed', { provider, kind, cause: error.cause, status: error.status });
      // Nothing was done with the code: it may be given once more.
      const again = kind === 'not_sent' || kind === 'later' || mistyped;
      await move(id, 'exchanging', { state: again ? 'waiting' : 'failed', message });
      if (mistyped) return fail('invalid', message, { field: 'body.code' });
      return fail('provider_error', message, {
        ...(error.retry_after_s === undefined ? {} : { retry_after_s: error.retry_after_s }),
      });
    }
    const held = login.credential_id ? await accountOf(login.credential_id) : null;
    const credential = await saveLogin(credentials, login, given.value, (error) =>
      log.error('login.not_stored_yet', { provider, error }),
    );
    const { account } = credential;
    const message = held && account && held !== account ? otherAccount(held, account) : null;
    log.info('login.done', { provider, credential: credential.id });
    deps.made(credential, login.credential_id !== null);
    const done = await patiently(
      () => move(id, 'exchanging', { state: 'done', message, credential_id: credential.id }),
      { failed: (error) => log.warn('login.not_ended_yet', { provider, error }), for_ms: exchange_ms },
    );
    return ok({ flow: done ?? { ...login.flow, state: 'done', credential_id: credential.id }, credential });
  };

  /** What a browser is sent back with. A state that is not ours changes nothing: anybody on this machine may call. */
  const answerBrowser = async (id: FlowId, address: string): Promise<{ status: number; page: PageWords }> => {
    const login = await store.get(id);
    const client = login && clients.get(login.flow.provider);
    if (!login || !client) return { status: 404, page: failedPage('This login is not known.') };
    const flow = await current(login);
    const state = URL.parse(address, 'http://localhost')?.searchParams.get('state') ?? '';
    const ours = same(state, login.begun.state);
    const running = exchanging.get(id);
    // The page was loaded again while the vendor thinks.
    if (running && ours) return pageOf(client, await running);
    if (flow.state !== 'waiting') return { status: 409, page: failedPage(wordsOf(notWaiting(flow))) };
    if (!ours)
      return {
        status: 400,
        page: failedPage('This answer belongs to another login: its state is not the one of this login.'),
      };
    const answer = client.read(address, login.begun);
    if (!answer.ok) {
      const message = inWords(answer.error);
      await move(id, 'waiting', { state: 'failed', message });
      return { status: 400, page: failedPage(message) };
    }
    return pageOf(client, await exchange(login, client, answer.value));
  };

  /** Asks until the person has typed the code, at the pace the vendor wants. */
  const pollDevice = async (login: StoredLogin, client: LoginClient, signal: AbortSignal): Promise<void> => {
    const { begun, flow } = login;
    for (;;) {
      await pause(begun.device?.interval_ms ?? 5_000);
      if (signal.aborted) return;
      const polled = await client.poll(begun, signal);
      if (signal.aborted) return;
      if (polled.ok) {
        if (polled.value === 'waiting') continue;
        const completed = await exchange(login, client, polled.value);
        // A code that was not taken for now is given again with the next answer.
        if (completed.ok || (await store.get(flow.id))?.flow.state !== 'waiting') return;
        continue;
      }
      const { kind, error } = polled.error;
      if (kind === 'not_sent' || kind === 'later') {
        await pause((error.retry_after_s ?? 0) * 1000);
        continue;
      }
      await move(flow.id, 'waiting', { state: 'failed', message: inWords(error) });
      return;
    }
  };

  const attend = (login: StoredLogin, client: LoginClient, callback: Callback | undefined): void => {
    const { id, expires_at, method } = login.flow;
    const abort = new AbortController();
    const expire = (): void => {
      store
        .get(id)
        .then((now) => (now ? current(now) : undefined))
        .catch((error: unknown) => log.warn('login.not_expired', { error: String(error) }))
        .finally(() => forget(id));
    };
    const timer = setTimeout(expire, Math.max(0, Date.parse(expires_at) - clock.now())).unref();
    waiting.set(id, { callback, timer, abort });
    callback?.answer(client.callback.path, (address) => answerBrowser(id, address));
    if (method === 'device')
      pollDevice(login, client, abort.signal).catch((error: unknown) =>
        log.error('login.device', { error: String(error) }),
      );
  };

  /** What is wrong with this start; undefined: nothing. */
  const hindrance = async (
    client: LoginClient,
    input: StartInput,
    taken: readonly Credential[],
  ): Promise<Result<never> | undefined> => {
    const { provider, name, methods } = client;
    const missing = client.missing();
    if (missing)
      return fail('invalid', `${name} cannot be used yet. ${missing}`, { field: 'params.provider' });
    if (input.method && !methods.includes(input.method))
      return fail(
        'invalid',
        `${name}: there is no login by ${input.method}. Choose ${methods.join(' or ')}.`,
        {
          field: 'body.method',
        },
      );
    if (input.credential_id) {
      const held = taken.find(({ id }) => id === input.credential_id);
      if (held?.provider !== provider || held.auth_type !== 'oauth')
        return fail(
          'not_found',
          `There is no login of ${provider} with this id. GET /api/v1/credentials lists them.`,
          {
            field: 'body.credential_id',
          },
        );
    } else if (
      input.name !== 'default' &&
      taken.some((each) => each.provider === provider && each.name === input.name)
    )
      return fail(
        'conflict',
        `There is already a credential named "${input.name}" for ${provider}. Choose another name.`,
        {
          field: 'body.name',
        },
      );
    if (await terms.acknowledged(provider)) return undefined;
    if (!input.acknowledge_terms)
      return fail(
        'invalid',
        `Read this first, and say that you have (acknowledge_terms): ${client.terms.text}`,
        {
          field: 'body.acknowledge_terms',
        },
      );
    await terms.acknowledge(provider);
    return undefined;
  };

  return {
    start: async (provider, input) => {
      const client = clients.get(provider);
      if (!client) return noVendor(provider);
      const saved = await credentials.list();
      const hindered = await hindrance(client, input, saved);
      if (hindered) return hindered;
      const method = input.method ?? client.methods[0] ?? 'paste';
      const callback = method === 'callback' ? await listenForCallback(client.callback.ports) : undefined;
      const begun = await client.begin(method, callback?.port, AbortSignal.timeout(request_ms));
      if (!begun.ok) {
        callback?.close();
        return refusedInput(begun.error, 'body.method');
      }
      const held = saved.find(({ id }) => id === input.credential_id);
      const taken = new Set(saved.filter((each) => each.provider === provider).map(({ name }) => name));
      const login: StoredLogin = {
        flow: newFlow(provider, held?.name ?? freeName(input.name, taken), method, begun.value, clock.now()),
        begun: begun.value,
        credential_id: held?.id ?? null,
      };
      await store.create(login);
      attend(login, client, callback);
      deps.changed();
      return ok(login.flow);
    },
    list: async () => {
      const flows = await store.list();
      const late = flows.filter(
        (flow) =>
          (flow.state === 'waiting' || flow.state === 'exchanging') &&
          Date.parse(flow.expires_at) <= clock.now(),
      );
      if (late.length === 0) return flows;
      for (const { id } of late) {
        const login = await store.get(id);
        if (login) await current(login);
      }
      return store.list();
    },
    get: async (id) => {
      const login = await store.get(id);
      return login ? ok(await current(login)) : noFlow();
    },
    complete: async (id, typed) => {
      const login = await store.get(id);
      const client = login && clients.get(login.flow.provider);
      if (!login || !client) return noFlow();
      const flow = await current(login);
      if (flow.state !== 'waiting') return notWaiting(flow);
      if (flow.method === 'device') return ofDevice(flow);
      const answer = client.read(typed, login.begun);
      if (!answer.ok) return refusedInput(answer.error, 'body.code');
      return exchange(login, client, answer.value, !typed.includes(login.begun.state));
    },
    cancel: async (id) => {
      const login = await store.get(id);
      if (!login) return noFlow();
      const flow = await current(login);
      if (flow.state !== 'waiting') return notWaiting(flow);
      if (await move(id, 'waiting', { state: 'cancelled' })) return ok(undefined);
      const now = await store.get(id);
      return now ? notWaiting(now.flow) : noFlow();
    },
    resume: async () => {
      for (const { id, state } of await store.list()) {
        if (closed || waiting.has(id)) continue;
        const login = await store.get(id);
        const client = login && clients.get(login.flow.provider);
        if (!login || !client) continue;
        if (state === 'exchanging') await move(id, 'exchanging', { state: 'failed', message: stopped });
        if ((await current(login)).state !== 'waiting') continue;
        const port = Number(URL.parse(login.begun.redirect_uri)?.port);
        const callback =
          login.flow.method === 'callback' && port ? await listenForCallback([port]) : undefined;
        attend(login, client, callback);
      }
    },
    close: () => {
      closed = true;
      for (const id of [...waiting.keys()]) forget(id);
    },
    settle: (within_ms) => settled(exchanging.values(), within_ms),
  };
};

const newFlow = (
  provider: LoginProvider,
  name: string,
  method: LoginMethod,
  begun: LoginStart,
  now: number,
): LoginFlow => ({
  id: newId<FlowId>('login'),
  provider,
  name,
  method,
  url: begun.url,
  user_code: begun.device?.user_code ?? null,
  state: 'waiting',
  message: null,
  credential_id: null,
  expires_at: new Date(now + life_ms).toISOString(),
  created_at: new Date(now).toISOString(),
});

/** In constant time for texts of one length. */
const same = (given: string, wanted: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return wanted !== '' && a.length === b.length && timingSafeEqual(a, b);
};

const wordsOf = (refused: Result<unknown>): string => (refused.ok ? '' : refused.error.message);

const pageOf = ({ name }: LoginClient, completed: Completed): { status: number; page: PageWords } =>
  completed.ok
    ? { status: 200, page: donePage(name) }
    : { status: 502, page: failedPage(completed.error.message) };

const donePage = (name: string): PageWords => ({
  title: 'You are logged in',
  text: `The Maestro can use your ${name} now. You can close this tab.`,
});
const failedPage = (message: string): PageWords => ({
  title: 'The login did not work',
  text: `${message} You can close this tab.`,
});
