import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { type Engine, type ExternalAgent, fail, ok, type Provider, type Result } from '@maestro/ports';
import type {
  Attachment,
  AuthType,
  BlobId,
  Item,
  ProviderId,
  RouteParsed,
  Routes,
  Session,
  SessionId,
} from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { untitledSession } from './actor/turn-changes.ts';
import { Actors, type Recovered } from './actors.ts';
import type { EngineDeps } from './deps.ts';
import { withLiveText } from './live-text.ts';

export interface RunningEngine extends Engine {
  /** Marks what a crash left open and, by policy, resumes it. Called once, before the server is ready. */
  recover(): Promise<Recovered>;
  /** Commands for this session run here: this server holds it, from now on if nobody did. */
  holds(id: SessionId): Promise<boolean>;
  /** true: this server holds it already. */
  isHere(id: SessionId): boolean;
  /** As `drain`, for other servers to go on with the turns. Answers their sessions. */
  handOver(): Promise<SessionId[]>;
  /** Takes a session that another server handed over, whose turn goes on. false: another one has it, or it was not to go on any more. */
  takeOver(id: SessionId): Promise<boolean>;
}

const unknownSession = (): Result<never> =>
  fail('not_found', 'There is no session with this id.', { field: 'params.session_id' });
const ownedElsewhere = (): Result<never> =>
  fail('busy', 'Another server holds this session right now. Try again in a few seconds.', {
    retry_after_s: 5,
  });

export const createEngine = (deps: EngineDeps): RunningEngine => {
  const actors = new Actors(deps);
  const { sessions } = deps.stores;
  let draining = false;

  const liveOf = (id: SessionId): readonly Item[] => actors.loaded(id)?.live.all() ?? [];

  const withActor = async <T>(
    id: SessionId,
    use: (actor: NonNullable<Awaited<ReturnType<Actors['get']>>>) => Promise<Result<T>>,
  ): Promise<Result<T>> => {
    if (draining) return fail('unavailable', 'The server is shutting down.', { retry_after_s: 5 });
    const actor = await actors.get(id);
    if (actor) return use(actor);
    return (await sessions.get(id)) ? ownedElsewhere() : unknownSession();
  };

  return {
    async create(body) {
      const provider = workerOf(deps, body.provider);
      if (!provider) return noProvider(body.provider);
      const refused = refusedOfAgent(deps, body.provider, body);
      if (refused) return refused;
      const folder = await workingDirectory(body.working_directory);
      if (!folder.ok) return folder;
      const base_url = body.base_url ?? null;
      if (body.provider === 'compatible' && !base_url && !deps.base_url('compatible', 'api_key'))
        return fail('invalid', 'A compatible service needs its base URL, such as http://127.0.0.1:1234/v1.', {
          field: 'body.base_url',
        });
      const auth_type = body.auth_type ?? (await usableAuth(deps, provider, base_url));
      if (!provider.auth_types.includes(auth_type))
        return fail(
          'invalid',
          `${provider.name} takes ${provider.auth_types.join(' or ')}, not ${auth_type}.`,
          { field: 'body.auth_type' },
        );
      const model = body.model ? ok(body.model) : await usualModel(deps, provider, auth_type, base_url);
      if (!model.ok) return model;
      const session = await sessions.create({
        id: body.id ?? newId<SessionId>('ses'),
        title: body.title ?? untitledSession,
        agent_name: body.agent_name ?? 'assistant',
        provider: body.provider,
        model: model.value,
        auth_type,
        base_url,
        effort: body.effort ?? null,
        working_directory: folder.value,
        system_prompt: body.system_prompt ?? '',
        access_mode: body.access_mode ?? 'full',
        tools: body.tools ?? {},
      });
      const card = await sessions.card(session.id);
      if (card) deps.publisher.publish([{ stream: 'sessions', kind: 'card', data: card }]);
      return ok(session);
    },

    async patch(id, body) {
      if (body.provider && !workerOf(deps, body.provider)) return noProvider(body.provider);
      const session = await sessions.get(id);
      if (!session) return unknownSession();
      const refused = refusedOfAgent(deps, body.provider ?? session.provider, body);
      if (refused) return refused;
      return withActor(id, async (actor) => {
        const whole = await fitting(deps, session, body);
        return whole.ok ? actor.patch(whole.value) : whole;
      });
    },

    async delete(id) {
      const closed = await withActor(id, async (actor) => ok(await actor.close('person')));
      if (!closed.ok) return closed;
      await actors.forget(id);
      if (!(await sessions.delete(id))) return unknownSession();
      deps.publisher.publish([{ stream: 'sessions', kind: 'card', data: { id, removed: true } }]);
      // Who looks at it takes the snapshot, and finds that there is none.
      deps.publisher.reset(`session:${id}`, 'branch');
      return ok(undefined);
    },

    send: (id, body) =>
      withActor(id, async (actor) => {
        const attachments = await attachmentsOf(deps, body.attachments ?? []);
        return attachments.ok ? actor.send(body, attachments.value) : attachments;
      }),
    patchQueued: (id, entry, body) => withActor(id, (actor) => actor.patchQueued(entry, body)),
    deleteQueued: (id, entry) => withActor(id, (actor) => actor.deleteQueued(entry)),
    interrupt: (id) => withActor(id, (actor) => actor.stop()),
    resume: (id) => withActor(id, (actor) => actor.resume()),
    fork: (id, body) => withActor(id, (actor) => actor.fork(body)),
    activate: (id, conversation) => withActor(id, (actor) => actor.activate(conversation)),
    retry: (id, body) => withActor(id, (actor) => actor.retry(body)),
    edit: (id, body) => withActor(id, (actor) => actor.edit(body)),
    answer: (id, item, decision) => withActor(id, (actor) => actor.answer(item, decision)),

    async snapshot(id, tail) {
      const stored = await sessions.snapshot(id, tail);
      if (!stored) return undefined;
      const live = liveOf(id);
      const items = withLiveText(stored.items, live);
      const streaming = new Set(live.map((item) => item.id));
      return {
        ...stored,
        items,
        live: items.filter((item) => streaming.has(item.id)).map((item) => item.id),
      };
    },
    changes: (id, after, limit) => sessions.changes(id, after, limit),
    items: async (id, query) => {
      const page = await sessions.items(id, query);
      return { ...page, items: withLiveText(page.items, liveOf(id)) };
    },
    item: async (id, item) => {
      const now = actors.loaded(id)?.live.get(item);
      return now && now.seq > 0 ? now : sessions.item(id, item);
    },
    live: liveOf,
    running: () => actors.running(),

    recover: () => actors.recover(),
    holds: async (id) => !draining && (await actors.get(id)) !== undefined,
    isHere: (id) => actors.loaded(id) !== undefined,
    takeOver: async (id) => !draining && (await actors.get(id))?.running === true,
    async handOver() {
      draining = true;
      return actors.drain(true);
    },
    async drain() {
      draining = true;
      await actors.drain(false);
    },
  };
};

const noProvider = (id: ProviderId): Result<never> =>
  fail('invalid', `There is no provider named ${id} here.`, { field: 'body.provider' });

/** Who works in a session: a provider we call, or an agent of its own. */
const workerOf = (deps: EngineDeps, id: ProviderId): Provider | ExternalAgent | undefined =>
  deps.agents.get(id) ?? deps.providers.get(id);

/** What an agent cannot be given: it has its own service and its own login. */
const refusedOfAgent = (
  deps: EngineDeps,
  id: ProviderId,
  body: { base_url?: string | null | undefined; auth_type?: AuthType | undefined },
): Result<never> | undefined => {
  const agent = deps.agents.get(id);
  if (!agent) return undefined;
  if (body.base_url)
    return fail('invalid', `${agent.name} finds its own service: leave the base URL out.`, {
      field: 'body.base_url',
    });
  if (body.auth_type && !agent.auth_types.includes(body.auth_type))
    return fail('invalid', `${agent.name} takes ${agent.auth_types.join(' or ')}, not ${body.auth_type}.`, {
      field: 'body.auth_type',
    });
  return undefined;
};

/** The first way of authentication for which there is a credential; without any, the usual one. */
const usableAuth = async (
  deps: EngineDeps,
  provider: Provider | ExternalAgent,
  base_url: string | null,
): Promise<AuthType> => {
  if (deps.agents.has(provider.id)) return provider.auth_types[0] ?? 'cli';
  for (const auth_type of provider.auth_types) {
    if ((await deps.credential(provider.id, auth_type, base_url)).ok) return auth_type;
  }
  return provider.auth_types[0] ?? 'none';
};

/** A change of provider takes that provider's default model and way of authentication where the change names none. */
const fitting = async (
  deps: EngineDeps,
  session: Session,
  body: RouteParsed<Routes['patchSession']>['body'],
): Promise<Result<typeof body>> => {
  const provider = body.provider ? workerOf(deps, body.provider) : undefined;
  if (!provider || body.provider === session.provider) return ok(body);
  const base_url = deps.agents.has(provider.id) ? null : (body.base_url ?? session.base_url);
  const auth_type = body.auth_type ?? (await usableAuth(deps, provider, base_url));
  const model = body.model ? ok(body.model) : await usualModel(deps, provider, auth_type, base_url);
  return model.ok ? ok({ ...body, base_url, model: model.value, auth_type }) : model;
};

/** How long a service may take to say which models it has, in ms. */
const models_ms = 10_000;

/** The model of a session that names none: where the models are those that a service has, it is asked now. */
const usualModel = async (
  deps: EngineDeps,
  provider: Provider | ExternalAgent,
  auth_type: AuthType,
  base_url: string | null,
): Promise<Result<string>> => {
  const field = 'body.model';
  if (!('usual_model' in provider) || !provider.usual_model)
    return provider.default_model === ''
      ? fail('invalid', `${provider.name} has no default model: name one.`, { field })
      : ok(provider.default_model);
  const credential = await deps.credential(provider.id, auth_type, base_url);
  const where = base_url ?? deps.base_url(provider.id, auth_type);
  const asked = credential.ok
    ? await provider.usual_model(
        { credential: credential.value, base_url: where },
        AbortSignal.timeout(models_ms),
      )
    : credential;
  if (asked.ok) return asked;
  const { message, remedy } = asked.error;
  const todo = remedy === undefined ? 'Name' : `${remedy.replace(/\.$/, '')}, or name`;
  return fail(
    'invalid',
    `No model is named, and ${provider.name} names none that it has: ${message} ${todo} a model.`,
    { field },
  );
};

const workingDirectory = async (given: string): Promise<Result<string>> => {
  const field = 'body.working_directory';
  const path = given === '~' || given.startsWith('~/') ? join(homedir(), given.slice(1)) : given;
  if (!isAbsolute(path))
    return fail('invalid', `The working directory must be an absolute path; ${given} is relative.`, {
      field,
    });
  const found = await stat(path).catch(() => undefined);
  if (!found)
    return fail('invalid', `The folder ${path} does not exist. Make it first, or choose another.`, { field });
  if (!found.isDirectory()) return fail('invalid', `${path} is not a folder.`, { field });
  return ok(resolve(path));
};

const attachmentsOf = async (deps: EngineDeps, ids: readonly BlobId[]): Promise<Result<Attachment[]>> => {
  if (ids.length === 0) return ok([]);
  const facts = await deps.stores.blobs.facts(ids);
  const missing = ids.findIndex((id) => !facts.has(id));
  if (missing >= 0)
    return fail('invalid', 'This attachment was not uploaded. Post it to /api/v1/blobs first.', {
      field: `body.attachments.${missing}`,
    });
  return ok(
    ids.flatMap((id) => {
      const fact = facts.get(id);
      return fact ? [{ blob_id: id, ...fact }] : [];
    }),
  );
};
