import {
  type BranchError,
  type Change,
  type Committed,
  type ForkPlace,
  fail,
  type Lease,
  ok,
  type Result,
  type SessionStore,
} from '@maestro/ports';
import type {
  Conversation,
  ConversationId,
  Item,
  ItemId,
  ItemOf,
  RouteParsed,
  Routes,
  Session,
  SessionId,
  TurnId,
} from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import {
  idTaken,
  noMessage,
  nothingToAnswer,
  notWritten,
  takenOver,
  unwritten,
  whileRunning,
} from './refusals.ts';
import type { SessionWriter } from './session-writer.ts';
import { runningChange, startChange } from './turn-changes.ts';

type Body<K extends 'fork' | 'retry' | 'editMessage'> =
  RouteParsed<Routes[K]> extends { body: infer B } ? B : never;

/** A turn on a branch of its own. `fresh`: it was begun by this call and must be run. */
interface Begun {
  readonly turn_id: TurnId;
  readonly fresh: boolean;
}

/** Items of one page while looking back for the last message. */
const page = 200;

/**
 * Branches of one session, written in line with its other changes. None is made while a turn runs; a command with an
 * id that is known already answers what it made the first time.
 */
export class Branches {
  readonly #store: SessionStore;
  readonly #lease: Lease;
  readonly #writer: SessionWriter;
  readonly #isRunning: () => boolean;

  constructor(store: SessionStore, lease: Lease, writer: SessionWriter, isRunning: () => boolean) {
    this.#store = store;
    this.#lease = lease;
    this.#writer = writer;
    this.#isRunning = isRunning;
  }

  /** Makes a branch that ends with the step of an item, or with everything, and goes over to it. */
  async fork(body: Body<'fork'>): Promise<Result<Conversation>> {
    const known = body.id && (await this.#conversation(body.id));
    if (known) return ok(known);
    const { id = newId<ConversationId>('con'), at_item } = body;
    if (this.#isRunning()) return whileRunning();
    const place: ForkPlace = at_item ? { type: 'with', item: at_item } : { type: 'end' };
    const written = await this.#writer.branch(() => this.#store.fork(this.#lease, id, place));
    if (!written.ok) return refused(written.error, 'body.at_item');
    const made = await this.#conversation(id);
    return made ? ok(made) : fail('internal', 'The branch was made but cannot be read.');
  }

  /** Goes over to another branch. To the one that is open already changes nothing. */
  async activate(conversation: ConversationId, active: ConversationId): Promise<Result<void>> {
    if (conversation === active) return ok(undefined);
    if (this.#isRunning()) return whileRunning();
    const written = await this.#writer.branch(() => this.#store.activate(this.#lease, conversation));
    return written.ok ? ok(undefined) : refused(written.error, 'body.id');
  }

  /**
   * Begins a turn that answers the last message again, on a new branch that ends with it; one that nothing has answered
   * yet, on the branch that is open.
   */
  async retry({ id }: Body<'retry'>): Promise<Result<Begun>> {
    const known = id && (await this.#store.turn(id));
    if (known) return known.session_id === this.#session ? ok(again(known.id)) : idTaken();
    if (this.#isRunning()) return whileRunning();
    const last = await this.#lastMessage();
    if (!last) return nothingToAnswer();
    const turn_id = id ?? newId<TurnId>('trn');
    const running = runningChange(turn_id, 0);
    const made = (await this.#isUnanswered())
      ? await this.#goOn(running)
      : await this.#begin({ type: 'with', item: last.id }, running);
    return made.ok ? ok({ turn_id, fresh: true }) : made;
  }

  /** Begins a turn with a message of the past in other words, on a new branch that ends before it. */
  async edit(
    { id, item_id, text }: Body<'editMessage'>,
    session: Session,
  ): Promise<Result<Begun & { readonly item: Item }>> {
    const known = id && (await this.#store.item(this.#session, id));
    if (known)
      return isMessage(known) && known.turn_id ? ok({ ...again(known.turn_id), item: known }) : idTaken();
    if (this.#isRunning()) return whileRunning();
    const message = await this.#message(item_id);
    if (!message) return noMessage();
    const attachments = message.data.attachments ?? [];
    const { turn_id, change } = startChange(
      session,
      [{ id: id ?? newId<ItemId>('itm'), text, attachments }],
      [],
    );
    const made = await this.#begin({ type: 'before', item: item_id }, change);
    if (!made.ok) return made;
    const [item] = made.value.items;
    return item ? ok({ turn_id, item, fresh: true }) : unwritten();
  }

  /** Makes a branch at a place, goes over to it and writes the first change there: both or neither. */
  async #begin(place: ForkPlace, first: Change): Promise<Result<Committed>> {
    const id = newId<ConversationId>('con');
    const written = await this.#writer.branch(() => this.#store.fork(this.#lease, id, place, first));
    return written.ok ? written : refused(written.error, 'body.item_id');
  }

  /** Writes a change on the branch that is open. */
  async #goOn(change: Change): Promise<Result<Committed>> {
    const written = await this.#writer.commit(change);
    return written.ok ? written : notWritten(written.error);
  }

  /** Whether what the model was told last on the active branch is a message of the person. */
  async #isUnanswered(): Promise<boolean> {
    const { messages } = await this.#store.messages(this.#session, { limit: 1 });
    return messages.at(-1)?.role === 'user';
  }

  async #conversation(id: ConversationId): Promise<Conversation | undefined> {
    return (await this.#store.conversations(this.#session)).find((each) => each.id === id);
  }

  /** The last thing the person said on the active branch. */
  async #lastMessage(): Promise<ItemOf<'user_message'> | undefined> {
    for (let before: number | undefined; ; ) {
      const { items, has_more } = await this.#store.items(this.#session, {
        limit: page,
        ...(before === undefined ? {} : { before }),
      });
      const found = items.findLast(isMessage);
      if (found || !has_more) return found;
      before = items[0]?.position;
    }
  }

  async #message(id: ItemId): Promise<ItemOf<'user_message'> | undefined> {
    const item = await this.#store.item(this.#session, id);
    return item && isMessage(item) ? item : undefined;
  }

  get #session(): SessionId {
    return this.#lease.session_id;
  }
}

const again = (turn_id: TurnId): Begun => ({ turn_id, fresh: false });

const isMessage = (item: Item): item is ItemOf<'user_message'> => item.kind === 'user_message';

const refused = (error: BranchError, field: string): Result<never> => {
  if (error.type === 'unknown') return fail('not_found', error.message, { field });
  if (error.type === 'taken') return idTaken();
  if (error.type === 'unavailable')
    return fail(
      'unavailable',
      'The database does not answer or is full. Nothing was changed; try again in a moment.',
      { retry_after_s: 2 },
    );
  return takenOver();
};
