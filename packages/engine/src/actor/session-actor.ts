import { type Committed, fail, type HistoryRow, type Lease, ok, type Result } from '@maestro/ports';
import type {
  Attachment,
  Card,
  Conversation,
  ConversationId,
  Decision,
  Item,
  ItemId,
  QueueEntry,
  QueueId,
  RouteOutput,
  RouteParsed,
  Routes,
  Session,
  Turn,
  TurnId,
} from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { billedCrash } from '../agent-turn/crash-bill.ts';
import type { EngineDeps } from '../deps.ts';
import { runTurn } from '../turn/run-turn.ts';
import { SessionLost, type TurnContext } from '../turn/turn-context.ts';
import { type TurnEnd, unexpectedEnd } from '../turn/turn-end.ts';
import { Approvals } from './approvals.ts';
import { Branches } from './branches.ts';
import { Checkpoints } from './checkpoints.ts';
import { answer_ms, Commands } from './commands.ts';
import { waitingEvents } from './events.ts';
import { LiveItems } from './live-items.ts';
import { asQueue, deliveredNow, edited, type Incoming, incoming } from './messages.ts';
import { rewrite } from './new-item.ts';
import { OpenItems } from './open-items.ts';
import { auditPatch } from './patch-audit.ts';
import {
  closing,
  idTaken,
  noLongerWaiting,
  notArchived,
  notWritten,
  stoppedUnwritten,
  takenOver,
} from './refusals.ts';
import { safePublisher } from './safe-publisher.ts';
import { type Pending, SessionWriter } from './session-writer.ts';
import { held, inWords, isStopped, type StopReason } from './stop.ts';
import { inTime } from './store-wait.ts';
import { changeNotices, endChange, resumeChange, startChange, turnOf } from './turn-changes.ts';
import { WaitingQueue } from './waiting-queue.ts';

type Body<K extends 'sendMessage' | 'patchSession' | 'patchQueued' | 'fork' | 'retry' | 'editMessage'> =
  RouteParsed<Routes[K]> extends { body: infer B } ? B : never;
type Send = Body<'sendMessage'>;
type Sent = RouteOutput<Routes['sendMessage']>;
type Patch = Body<'patchSession'>;

interface Running {
  readonly turn_id: TurnId;
  readonly abort: AbortController;
  /** Resolves when the turn's end is written. Never rejects. */
  readonly ended: Promise<void>;
}

/** How long a session may take to end its turn when it is closed: the whole server stops within 10 s. */
const close_ms = 5_000;
/** One session while it is in use: commands one after the other, at most one turn, every write in order. */
export class SessionActor {
  readonly live: LiveItems;
  #session: Session;
  readonly #queue: WaitingQueue;
  #running: Running | undefined;
  #lost = false;
  /** No command is taken any more. */
  #closed = false;
  #card: Card | undefined;
  /** The last turn, where it was learned of by looking. */
  #found: Turn | undefined;
  readonly #open = new OpenItems();
  #used: number;
  readonly #deps: EngineDeps;
  readonly #lease: Lease;
  readonly #commands: Commands;
  readonly #writer: SessionWriter;
  readonly #approvals = new Approvals();
  readonly #checkpoints: Checkpoints;
  readonly #branches: Branches;
  readonly #onLost: () => void;

  constructor(
    deps: EngineDeps,
    lease: Lease,
    session: Session,
    queue: readonly QueueEntry[],
    onLost: () => void,
  ) {
    const publisher = safePublisher(deps.publisher, deps.log);
    this.#deps = { ...deps, publisher };
    this.#lease = lease;
    this.#session = session;
    this.#queue = new WaitingQueue(queue);
    this.#onLost = onLost;
    this.#used = deps.clock.monotonic();
    const stream = `session:${session.id}`;
    this.live = new LiveItems((delta) => publisher.publish([{ stream, kind: 'delta', data: delta }]));
    this.#writer = new SessionWriter(this.#deps, lease, session.seq, {
      written: (written) => this.#seen(written),
      lost: () => this.lose(),
      waiting: (waiting) => this.#tellWaiting(waiting),
      doubt: () => void this.#commands.settleSoon(),
      found: (turn) => {
        this.#found = turn;
      },
    });
    this.#commands = new Commands({
      available: () => this.#writer.available,
      refused: () => this.#refused(),
      settle: () => this.#settle(),
      log: deps.log,
    });
    this.#checkpoints = new Checkpoints(this.live, this.#writer, deps.log);
    this.#branches = new Branches(deps.stores.sessions, lease, this.#writer, () => this.running);
  }

  get lease(): Lease {
    return this.#lease;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** A turn runs, and nobody has stopped it. */
  get wantsToGoOn(): boolean {
    return this.#running !== undefined && !this.#running.abort.signal.aborted;
  }

  /** Milliseconds since the last command or turn; 0 while a turn runs. */
  idleFor(now: number): number {
    return this.#running ? 0 : now - this.#used;
  }

  async send(body: Send, attachments: readonly Attachment[]): Promise<Result<Sent>> {
    // A message sent right after Stop starts the next turn; it must not be queued behind the one that is ending.
    const running = this.#running;
    if (running?.abort.signal.aborted) await inTime(running.ended, answer_ms, () => undefined);
    return this.#command(async () => {
      const repeated = body.id ? await this.#known(body.id) : undefined;
      if (repeated) return repeated;
      const message: Incoming = { id: body.id ?? newId<ItemId>('itm'), text: body.text, attachments };
      if (this.#running) return this.#enqueue(message, body.deliver);
      return this.#start([message]);
    });
  }

  patch(body: Patch): Promise<Result<Session>> {
    return this.#command(async () => {
      if (body.archived && this.#running) return notArchived();
      const before = this.#session;
      const written = await this.#writer.commit({ session: body, items: changeNotices(this.#session, body) });
      if (!written.ok) return notWritten(written.error);
      auditPatch(this.#deps, before, body);
      return ok(this.#session);
    });
  }

  patchQueued(id: QueueId, body: Body<'patchQueued'>): Promise<Result<QueueEntry[]>> {
    return this.#command(async () => {
      const entry = this.#queue.find(id);
      if (!entry) return noLongerWaiting();
      const next = edited(entry, body);
      if (body.deliver === 'now' && !this.#running) {
        const started = await this.#start([incoming(next)], [id]);
        return started.ok ? ok(this.#queue.entries) : started;
      }
      const order = body.index === undefined ? {} : { order: this.#queue.moved(id, body.index) };
      const written = await this.#writer.commit({ queue: { put: [next], ...order } });
      return written.ok ? ok(this.#queue.entries) : notWritten(written.error);
    });
  }

  deleteQueued(id: QueueId): Promise<Result<void>> {
    return this.#command(async () => {
      if (!this.#queue.find(id)) return noLongerWaiting();
      const written = await this.#writer.commit({ queue: { remove: [id] } });
      return written.ok ? ok(undefined) : notWritten(written.error);
    });
  }

  /** Stops the turn, if one runs, and waits until its end is written, or until it is clear that the database is away. */
  async stop(): Promise<Result<Session>> {
    const stopped = this.#stopAll('person').then(() => true);
    if (!(await inTime(stopped, answer_ms, () => false))) return stoppedUnwritten();
    return this.#lost ? takenOver() : ok(this.#session);
  }

  /** Takes no more commands and ends the turn. What is not written when it resolves is left to the next start. */
  async close(reason: StopReason): Promise<void> {
    this.#closed = true;
    this.#commands.end();
    const ended = (async () => {
      await this.#stopAll(reason);
      // A command that was under way may have started another.
      await this.#commands.idle();
      await this.#stopAll(reason);
    })();
    await inTime(ended, close_ms, () => undefined);
    this.#writer.wait.end();
  }

  /** The turn that runs, and one that a waiting message starts just as that one ends. */
  async #stopAll(reason: StopReason): Promise<void> {
    for (let running = this.#running; running; running = this.#running) {
      running.abort.abort(reason);
      await running.ended;
    }
  }

  resume(): Promise<Result<{ turn_id: TurnId }>> {
    return this.#command(async () => {
      if (this.#running) return fail('busy', 'This session is already working.');
      const last = await this.#deps.stores.sessions.lastTurn(this.#session.id);
      if (!last || last.status === 'done')
        return fail('conflict', 'There is nothing to resume: the last turn is finished.');
      // One that other branches show as well stays for them as it ended.
      const isShared = last.conversation_id !== this.#session.conversation_id;
      const turn = isShared ? { id: newId<TurnId>('trn'), steps: 0 } : last;
      const written = await this.#writer.commit(resumeChange(turn));
      if (!written.ok) return notWritten(written.error);
      this.#launch(turn.id, turn.steps);
      return ok({ turn_id: turn.id });
    });
  }

  fork(body: Body<'fork'>): Promise<Result<{ session: Session; conversation: Conversation }>> {
    return this.#command(async () => {
      const made = await this.#branches.fork(body);
      return made.ok ? ok({ session: this.#session, conversation: made.value }) : made;
    });
  }

  activate(conversation: ConversationId): Promise<Result<Session>> {
    return this.#command(async () => {
      const done = await this.#branches.activate(conversation, this.#session.conversation_id);
      return done.ok ? ok(this.#session) : done;
    });
  }

  retry(body: Body<'retry'>): Promise<Result<{ session: Session; turn_id: TurnId }>> {
    return this.#command(async () => {
      const begun = await this.#branches.retry(body);
      if (!begun.ok) return begun;
      const { turn_id, fresh } = begun.value;
      if (fresh) this.#launch(turn_id, 0);
      return ok({ session: this.#session, turn_id });
    });
  }

  edit(body: Body<'editMessage'>): Promise<Result<{ session: Session; item: Item; turn_id: TurnId }>> {
    return this.#command(async () => {
      const begun = await this.#branches.edit(body, this.#session);
      if (!begun.ok) return begun;
      const { turn_id, item, fresh } = begun.value;
      if (fresh) this.#launch(turn_id, 0);
      return ok({ session: this.#session, item, turn_id });
    });
  }

  answer(id: ItemId, decision: Decision): Promise<Result<Item>> {
    return this.#command(async () => {
      const open = this.#approvals.get(id);
      if (!open) {
        const item = await this.#deps.stores.sessions.item(this.#session.id, id);
        if (!item)
          return fail('not_found', 'There is no such item in this session.', { field: 'params.item_id' });
        return fail('conflict', `This is not open for an answer any more: it is ${item.status}.`);
      }
      const written = await this.#writer.commit({
        items: [
          rewrite(open.item, decision === 'cancel' ? 'cancelled' : 'done', { ...open.item.data, decision }),
        ],
        ...(this.#approvals.others(id) ? {} : { session: { status: 'running', waiting_for: null } }),
      });
      if (!written.ok) return notWritten(written.error);
      this.#approvals.answer(id, decision);
      if (decision === 'cancel') this.#running?.abort.abort('person');
      return ok(written.value.items[0] ?? open.item);
    });
  }

  /** Writes the truth about a session whose server died: nothing stays running that does not run. */
  recover(open: readonly Item[], turn: Turn | null, given_up: number | null): Promise<Result<void>> {
    return this.#command(async () => {
      const change = await billedCrash(this.#deps, this.#session, open, turn, given_up);
      const written = await this.#writer.commit(change);
      return written.ok ? ok(undefined) : notWritten(written.error);
    });
  }

  /** Starts the message that waits first: its server died after it had written the end of the turn before. */
  startNext(): Promise<Result<void>> {
    return this.#command(async () => {
      const next = this.#queue.first;
      if (!next || this.#running) return ok(undefined);
      const started = await this.#start([incoming(next)], [next.id]);
      return started.ok ? ok(undefined) : started;
    });
  }

  async #known(id: ItemId): Promise<Result<Sent> | undefined> {
    const queued = this.#queue.find(asQueue(id));
    if (queued) return ok({ queued });
    const item = await this.#deps.stores.sessions.item(this.#session.id, id);
    if (item && item.kind !== 'user_message') return idTaken();
    return item && ok({ item, ...(item.turn_id ? { turn_id: item.turn_id } : {}) });
  }

  async #enqueue(message: Incoming, deliver: 'queue' | 'now'): Promise<Result<Sent>> {
    const id = asQueue(message.id);
    const entry = { id, text: message.text, attachments: [...message.attachments], deliver };
    const written = await this.#writer.commit({ queue: { put: [entry] } });
    if (!written.ok) return notWritten(written.error);
    const queued = written.value.queue?.entries.find((each) => each.id === id);
    const turn_id = this.#running?.turn_id;
    return ok({ ...(queued ? { queued } : {}), ...(turn_id ? { turn_id } : {}) });
  }

  async #start(messages: readonly Incoming[], dequeue: readonly QueueId[] = []): Promise<Result<Sent>> {
    const { turn_id, change } = startChange(this.#session, messages, dequeue);
    const written = await this.#writer.commit(change);
    if (!written.ok) return notWritten(written.error);
    this.#launch(turn_id, 0);
    const item = written.value.items[0];
    return ok({ ...(item ? { item } : {}), turn_id });
  }

  #launch(turn_id: TurnId, steps: number): void {
    const abort = new AbortController();
    const ended = this.#drive(turn_id, steps, abort);
    this.#running = { turn_id, abort, ended };
  }

  async #drive(turn_id: TurnId, steps: number, abort: AbortController): Promise<void> {
    const stopCheckpoints = this.#checkpoints.start();
    try {
      const end = await this.#run(turn_id, steps, abort);
      await this.#writer.idle();
      await this.#commands.inLine(() => this.#endTurn(turn_id, end, abort.signal));
    } catch (error) {
      if (!(error instanceof SessionLost))
        this.#deps.log.error('a turn could not be ended', {
          session: this.#session.id,
          error: String(error),
        });
      this.#running = undefined;
    } finally {
      stopCheckpoints();
    }
  }

  async #run(turn_id: TurnId, steps: number, abort: AbortController): Promise<TurnEnd> {
    try {
      return inWords(await runTurn(await this.#context(turn_id, abort.signal), steps), abort.signal);
    } catch (error) {
      if (error instanceof SessionLost) throw error;
      this.#deps.log.error('turn failed unexpectedly', {
        session: this.#session.id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      return unexpectedEnd(error, steps);
    }
  }

  async #context(turn_id: TurnId, signal: AbortSignal): Promise<TurnContext> {
    const session = this.#session;
    const patiently = <T>(read: () => Promise<T>): Promise<T> => this.#writer.wait.patiently(read);
    return {
      deps: this.#deps,
      turn_id,
      session,
      signal,
      live: this.live,
      rows: await patiently(() => this.#deps.stores.sessions.history(session.id)),
      write: (change, announced) => this.#writeForTurn(change, announced),
      patiently,
      deliverImmediate: () => this.#deliverImmediate(turn_id),
      approve: (question, until = signal) =>
        this.#approvals.ask(question, turn_id, until, (change) => this.#writeForTurn(change)),
    };
  }

  async #writeForTurn(change: Pending, announced?: (written: Committed) => void): Promise<Committed> {
    const written = await this.#writer.commitPatiently(change, announced);
    if (!written.ok) throw new SessionLost(written.error.message);
    return written.value;
  }

  /** In line with the commands, so that nobody edits or takes back a message while it is delivered. */
  async #deliverImmediate(turn_id: TurnId): Promise<readonly HistoryRow[]> {
    if (!this.#queue.entries.some((entry) => entry.deliver === 'now')) return [];
    return this.#commands.inLine(async () => {
      const now = this.#queue.takeImmediate();
      if (now.length === 0) return [];
      const { change, rows } = deliveredNow(now, turn_id);
      await this.#writeForTurn(change);
      return rows;
    });
  }

  /** Writes the end; after a turn that was done, the next waiting message starts another. */
  async #endTurn(turn_id: TurnId, end: TurnEnd, signal: AbortSignal): Promise<void> {
    const open = this.#open.of(turn_id).map((item) => this.live.get(item.id) ?? item);
    const wasStopped = isStopped(signal);
    await this.#writeForTurn(endChange(turn_id, wasStopped ? held(end) : end, open));
    for (const item of open) this.live.close(item.id);
    this.#used = this.#deps.clock.monotonic();
    const next = this.#queue.first;
    // Stopped while its end was written.
    if (next && !wasStopped && isStopped(signal))
      await this.#writeForTurn({ turn: turnOf(turn_id, held(end)) });
    // It counts as running until the next one does: a stop that comes in between stops that one too.
    const goesOn = next && end.status === 'done' && !signal.aborted && !this.#closed;
    if (!goesOn) this.#running = undefined;
    if (!goesOn) return;
    const started = startChange(this.#session, [incoming(next)], [next.id]);
    await this.#writeForTurn(started.change);
    this.#launch(started.turn_id, 0);
  }

  #command<T>(task: () => Promise<Result<T>>): Promise<Result<T>> {
    this.#used = this.#deps.clock.monotonic();
    return this.#commands.run(task);
  }

  #refused(): Result<never> | undefined {
    if (this.#lost) return takenOver();
    return this.#closed ? closing() : undefined;
  }

  async #settle(): Promise<boolean> {
    if (!(await this.#writer.settle())) return false;
    const found = this.#found;
    this.#found = undefined;
    if (found?.status === 'running' && !this.#running && !this.#refused())
      this.#launch(found.id, found.steps);
    return true;
  }

  /** The database cannot be told, so those who listen are told alone, at the `seq` they hold; and the truth again when it is back. */
  #tellWaiting(waiting: boolean): void {
    if (this.#lost) return;
    if (!waiting) {
      const back = this.#writer.commitPatiently(() => {
        const { status, waiting_for } = this.#session;
        return { session: { status, waiting_for } };
      });
      back.catch((error: unknown) =>
        this.#deps.log.error('a session could not be shown as it is', { error: String(error) }),
      );
      return;
    }
    this.#deps.log.warn('a turn waits for the database', { session: this.#session.id });
    this.#deps.publisher.publish(waitingEvents(this.#session, this.#card, this.#writer.head));
  }

  #seen(written: Committed): void {
    if (written.session) this.#session = written.session;
    if (written.card) this.#card = written.card;
    if (written.queue) this.#queue.seen(written.queue);
    this.#open.seen(written.items);
    for (const item of written.items)
      if (item.kind === 'approval' && item.data.decision) this.#approvals.answer(item.id, item.data.decision);
  }

  /** The session is not ours any more: its turn ends without another write, and no command is taken. */
  lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#commands.end();
    this.#running?.abort.abort('lost' satisfies StopReason);
    this.#writer.wait.end();
    this.#onLost();
  }
}
