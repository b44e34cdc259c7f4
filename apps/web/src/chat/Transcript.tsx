import type { ItemId } from '@maestro/protocol';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useOrder, useWatch } from '../live/session.ts';
import { Icon } from '../ui/icons.tsx';
import { Row } from './rows/Row.tsx';

/** The view follows the end only while the person is this near to it, px. */
const nearEnd = 60;
/** Most items held, wherever the person reads; and how many stay when it was reached. */
const resident = 1500;
const spared = 1300;
/** Items of one page of history. */
const page = 80;
const estimate = (): number => 96;

/** The history as virtual rows, anchored at its end; older pages load as the person scrolls up. */
export function Transcript({ focusItem }: { focusItem: { id: ItemId; at: number } | null }) {
  const watch = useWatch();
  const order = useOrder();
  const scroller = useRef<HTMLDivElement>(null);
  const latest = useRef(order);
  latest.current = order;
  const keyOf = useCallback((index: number): string => latest.current[index] ?? String(index), []);
  const element = useCallback(() => scroller.current, []);

  const [away, setAway] = useState(false);
  const rows = useVirtualizer({
    count: order.length,
    getScrollElement: element,
    estimateSize: estimate,
    getItemKey: keyOf,
    overscan: 6,
    anchorTo: 'end',
    followOnAppend: !away,
    scrollEndThreshold: nearEnd,
    paddingStart: 16,
    paddingEnd: 20,
  });
  const visible = rows.getVirtualItems();
  const first = visible[0]?.index ?? 0;
  const last = visible.at(-1)?.index ?? 0;
  const [loading, setLoading] = useState<'older' | 'newer' | null>(null);
  const { fresh, jump } = useEnd(rows, scroller, order, away, setAway, loading);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const { view } = watch;
    if (!view || loading || failed) return;
    const older = first <= 8 && view.oldest !== Number.NEGATIVE_INFINITY;
    const newer = last >= order.length - 8 && watch.hasNewer;
    if (!older && !newer) return;
    setLoading(older ? 'older' : 'newer');
    (older ? watch.loadOlder(page) : watch.loadNewer(page))
      .catch(() => setFailed(true))
      .finally(() => setLoading(null));
  }, [watch, first, last, order, loading, failed]);

  useEffect(() => {
    if (order.length <= resident || loading) return;
    // What is farther from the eye goes.
    const above = first > order.length - last;
    const end = order[above ? order.length - spared : spared - 1];
    const position = end && watch.view?.items.get(end)?.position;
    if (position === undefined) return;
    if (above) watch.dropBelow(position);
    else watch.dropAbove(position);
  }, [watch, first, last, order, loading]);

  useEffect(() => {
    if (!focusItem) return;
    const index = latest.current.indexOf(focusItem.id);
    if (index < 0) return;
    rows.scrollToIndex(index, { align: 'center' });
    const timer = setTimeout(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-item="${focusItem.id}"] [data-focus]`)?.focus();
    }, 80);
    return () => clearTimeout(timer);
  }, [focusItem, rows]);

  return (
    <div className="transcript-frame">
      <section
        className="transcript"
        ref={scroller}
        aria-label="Conversation"
        data-rows={order.length}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
      >
        <div className="transcript-all" style={{ height: rows.getTotalSize() }}>
          {visible.map((row) => {
            const id = order[row.index];
            if (!id) return null;
            return (
              <div
                key={row.key}
                ref={rows.measureElement}
                data-index={row.index}
                data-item={id}
                className="row-place"
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <Row id={id} />
              </div>
            );
          })}
        </div>
      </section>
      {loading && <p className="older">Loading {loading} messages…</p>}
      {failed && (
        <p className="older" role="alert">
          More messages did not load.{' '}
          <button type="button" className="button small" onClick={() => setFailed(false)}>
            Try again
          </button>
        </p>
      )}
      {away && (
        <button
          type="button"
          className="button small jump"
          onClick={jump}
          // It lies over the history, not in it.
          onWheel={(event) => scroller.current?.scrollBy(0, event.deltaY)}
        >
          <Icon name="down" />
          Jump to latest{fresh > 0 ? `, ${fresh} new` : ''}
        </button>
      )}
    </div>
  );
}

type Rows = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>;

/** Whether the person reads away from the end, how much came since, and the way back. */
const useEnd = (
  rows: Rows,
  scroller: { current: HTMLDivElement | null },
  order: readonly ItemId[],
  away: boolean,
  setAway: (away: boolean) => void,
  loading: 'older' | 'newer' | null,
) => {
  const watch = useWatch();
  const [seen, setSeen] = useState<ItemId | null>(null);
  const atEnd = useRef(true);
  const lastId = order.at(-1) ?? null;
  const lastRef = useRef(lastId);
  lastRef.current = lastId;

  useLayoutEffect(() => {
    if (order.length > 0 && atEnd.current) rows.scrollToEnd();
  }, [rows, order]);

  const isNear = useCallback(
    (element: HTMLElement): boolean =>
      !watch.hasNewer && element.scrollHeight - element.scrollTop - element.clientHeight <= nearEnd,
    [watch],
  );
  const settle = useCallback(
    (near: boolean): void => {
      if (near === atEnd.current) return;
      atEnd.current = near;
      setAway(!near);
      setSeen(near ? null : lastRef.current);
    },
    [setAway],
  );

  // The end comes to a person who does not scroll any more where the last page of newer items is empty.
  // biome-ignore lint/correctness/useExhaustiveDependencies: these say when it can have come
  useEffect(() => {
    if (scroller.current && isNear(scroller.current)) settle(true);
  }, [scroller, isNear, settle, order, loading]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const check = (): void => settle(isNear(element));
    const keep = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    element.addEventListener('scroll', check, { passive: true });
    keep.observe(element);
    return () => {
      element.removeEventListener('scroll', check);
      keep.disconnect();
    };
  }, [scroller, isNear, settle]);

  const jump = useCallback(() => {
    atEnd.current = true;
    setAway(false);
    setSeen(null);
    if (watch.hasNewer) watch.resync();
    else rows.scrollToEnd();
  }, [watch, rows, setAway]);

  // Not known where the items since were dropped.
  const seenAt = seen === null || watch.hasNewer ? -1 : order.lastIndexOf(seen);
  return { fresh: away && seenAt >= 0 ? order.length - 1 - seenAt : 0, jump };
};
