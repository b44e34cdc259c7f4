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
import type { Conversation, ConversationId, Item, ItemId, ItemOf, SessionId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { takenOver } from './refusals.ts';
import type { SessionWriter } from './session-writer.ts';

/** Items of one page while looking back for the last message. */
const page = 200;

/** Branches of one session, written in line with its other changes. */
export class Branches {
  readonly #store: SessionStore;
  readonly #lease: Lease;
  readonly #writer: SessionWriter;

  constructor(store: SessionStore, lease: Lease, writer: SessionWriter) {
    this.#store = store;
    this.#lease = lease;
    this.#writer = writer;
  }

  /** Makes a branch at a place and goes over to it. */
  async fork(place: ForkPlace): Promise<Result<Conversation>> {
    const id = newId<ConversationId>('con');
    const written = await this.#writer.branch(() => this.#store.fork(this.#lease, id, place));
    if (!written.ok) return refused(written.error, 'body.at_item');
    const made = (await this.#store.conversations(this.#lease.session_id)).find((each) => each.id === id);
    return made ? ok(made) : fail('internal', 'The branch was made but cannot be read.');
  }

  /** Makes a branch at a place, goes over to it and writes the first change there: both or neither. */
  async begin(place: ForkPlace, first: Change): Promise<Result<Committed>> {
    const id = newId<ConversationId>('con');
    const written = await this.#writer.branch(() => this.#store.fork(this.#lease, id, place, first));
    return written.ok ? written : refused(written.error, 'body.at_item');
  }

  async activate(conversation: ConversationId): Promise<Result<void>> {
    const written = await this.#writer.branch(() => this.#store.activate(this.#lease, conversation));
    return written.ok ? ok(undefined) : refused(written.error, 'body.id');
  }

  /** The last thing the person said on the active branch. */
  async lastMessage(): Promise<ItemOf<'user_message'> | undefined> {
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

  async message(id: ItemId): Promise<ItemOf<'user_message'> | undefined> {
    const item = await this.#store.item(this.#session, id);
    return item && isMessage(item) ? item : undefined;
  }

  get #session(): SessionId {
    return this.#lease.session_id;
  }
}

const isMessage = (item: Item): item is ItemOf<'user_message'> => item.kind === 'user_message';

const refused = (error: BranchError, field: string): Result<never> => {
  if (error.type === 'unknown') return fail('not_found', error.message, { field });
  if (error.type === 'unavailable')
    return fail(
      'unavailable',
      'The database does not answer or is full. Nothing was changed; try again in a moment.',
      { retry_after_s: 2 },
    );
  return takenOver();
};
