import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConversationId, ItemId, SessionId } from './ids.ts';
import type { Item } from './item.ts';
import type { LiveEvent, Snapshot } from './live.ts';
import { addOlder, apply, dropBelow, type SessionView, textOf, upsert, viewOf } from './reducer.ts';
import type { Session } from './session.ts';

const session_id = 'ses_1' as SessionId;
const stream = `session:${session_id}`;
const session = { id: session_id, title: 'Test', seq: 0 } as Session;

const message = (
  n: number,
  more: Partial<Pick<Item, 'seq' | 'status' | 'position'>> & { text?: string } = {},
): Item => ({
  id: `itm_${n}` as ItemId,
  session_id,
  conversation_id: 'con_1' as ConversationId,
  turn_id: null,
  position: more.position ?? n,
  seq: more.seq ?? n,
  kind: 'agent_message',
  status: more.status ?? 'done',
  data: { text: more.text ?? `text ${n}` },
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
});

const empty = (more: Partial<Snapshot> = {}): SessionView =>
  viewOf({
    session,
    epoch: 'e',
    seq: 0,
    items: [],
    has_older: false,
    turn: null,
    queue: [],
    conversation_id: 'con_1' as ConversationId,
    live: [],
    ...more,
  });

const event = (item: Item, prev: number): LiveEvent => ({
  stream,
  kind: 'item',
  seq: item.seq,
  prev,
  data: item,
});

describe('the item reducer (S9, U2)', () => {
  it('gives the same view whatever is repeated, as long as nothing is left out', () => {
    const changes = fc.array(fc.tuple(fc.nat(8), fc.string(), fc.boolean()), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(changes, fc.array(fc.nat(200), { maxLength: 60 }), (list, repeats) => {
        const log = list.map(([n, text, removed], at) =>
          message(n, { seq: at + 1, text, status: removed ? 'removed' : 'done' }),
        );
        const once = empty();
        for (const [at, item] of log.entries()) apply(once, event(item, at));

        const again = empty();
        log.forEach((item, at) => {
          apply(again, event(item, at));
          for (const back of repeats) {
            const old = log[Math.max(0, at - (back % (at + 1)))];
            if (old) apply(again, event(old, old.seq - 1));
          }
        });
        expect([...again.items.entries()].toSorted()).toEqual([...once.items.entries()].toSorted());
        expect(again.order).toEqual(once.order);
        expect(again.seq).toBe(once.seq);
      }),
    );
  });

  it('keeps items in the order of their positions', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000), { maxLength: 50 }), (positions) => {
        const view = empty();
        for (const [at, position] of positions.entries()) upsert(view, message(position, { seq: at + 1 }));
        const held = view.order.map((id) => view.items.get(id)?.position);
        expect(held).toEqual(positions.toSorted((a, b) => a - b));
      }),
    );
  });

  it('asks for a resync when a change is missing', () => {
    const view = empty();
    apply(view, event(message(1), 0));
    expect(apply(view, event(message(3), 2))).toEqual({ type: 'resync', reason: 'gap' });
    expect(view.seq).toBe(1);
  });

  it('builds the whole text from deltas that overlap or repeat, and asks again after a hole', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 60 }),
        fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { maxLength: 30 }),
        (whole, cuts) => {
          const view = empty({ items: [message(1, { status: 'streaming', text: '' })], seq: 1 });
          for (const [a, b] of [...cuts, [0, whole.length] as const]) {
            const off = Math.min(a, b, whole.length);
            const text = whole.slice(off, Math.max(a, b));
            const held = textOf(view.items.get('itm_1' as ItemId) ?? message(1), 'text').length;
            const effect = apply(view, {
              stream,
              kind: 'delta',
              data: { item: 'itm_1' as ItemId, field: 'text', off, text },
            });
            if (off > held && text !== '') expect(effect).toEqual({ type: 'refetch', item: 'itm_1' });
          }
          expect(textOf(view.items.get('itm_1' as ItemId) ?? message(1), 'text')).toBe(whole);
        },
      ),
    );
  });

  it('ignores a delta for an item that has ended', () => {
    const view = empty({ items: [message(1, { text: 'whole' })], seq: 1 });
    apply(view, {
      stream,
      kind: 'delta',
      data: { item: 'itm_1' as ItemId, field: 'text', off: 5, text: '!' },
    });
    expect(textOf(view.items.get('itm_1' as ItemId) ?? message(2), 'text')).toBe('whole');
  });

  it('ignores items below its window until their page is fetched', () => {
    const view = empty({ items: [message(50), message(51)], has_older: true, seq: 51 });
    upsert(view, message(10, { seq: 60 }));
    expect(view.order).toEqual(['itm_50', 'itm_51']);
    addOlder(view, [message(48), message(49)], true);
    expect(view.order).toEqual(['itm_48', 'itm_49', 'itm_50', 'itm_51']);
    expect(view.oldest).toBe(48);
    dropBelow(view, 50);
    expect(view.order).toEqual(['itm_50', 'itm_51']);
    expect(view.items.size).toBe(2);
  });
});
