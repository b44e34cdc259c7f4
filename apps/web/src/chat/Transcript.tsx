import type { ItemId } from '@maestro/protocol';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useOrder, useWatch } from '../live/session.ts';
import { Icon } from '../ui/icons.tsx';
import { Row } from './rows/Row.tsx';

/** The view follows the end only while the person is this near to it, px. */
const nearEnd = 60;
/** Most items held while reading at the end. */
const resident = 1500;
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

  const rows = useVirtualizer({
    count: order.length,
    getScrollElement: element,
    estimateSize: estimate,
    getItemKey: keyOf,
    overscan: 6,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: nearEnd,
    paddingStart: 16,
    paddingEnd: 20,
  });
  const visible = rows.getVirtualItems();
  const { away, fresh, jump } = useEnd(rows, scroller, order);

  const first = visible[0]?.index ?? 0;
  const [loading, setLoading] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const { view } = watch;
    if (!view || first > 8 || view.oldest === Number.NEGATIVE_INFINITY || loading || failed) return;
    setLoading(true);
    watch
      .loadOlder(80)
      .catch(() => setFailed(true))
      .finally(() => setLoading(false));
  }, [watch, first, loading, failed]);

  useEffect(() => {
    const { view } = watch;
    const keep = away || order.length <= resident ? undefined : order[order.length - resident + 200];
    const position = keep === undefined ? undefined : view?.items.get(keep)?.position;
    if (position !== undefined) watch.dropBelow(position);
  }, [watch, away, order]);

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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section className="transcript" ref={scroller} aria-label="Conversation" tabIndex={0}>
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
      {loading && <p className="older">Loading older messages…</p>}
      {failed && (
        <p className="older" role="alert">
          Older messages did not load.{' '}
          <button type="button" className="button small" onClick={() => setFailed(false)}>
            Try again
          </button>
        </p>
      )}
      {away && (
        <button type="button" className="button small jump" onClick={jump}>
          <Icon name="down" />
          Jump to latest{fresh > 0 ? `, ${fresh} new` : ''}
        </button>
      )}
    </div>
  );
}

type Rows = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>;

/** Whether the person reads away from the end, how much came since, and the way back. */
const useEnd = (rows: Rows, scroller: { current: HTMLDivElement | null }, order: readonly ItemId[]) => {
  const [away, setAway] = useState(false);
  const [seen, setSeen] = useState<ItemId | null>(null);
  const atEnd = useRef(true);
  const lastId = order.at(-1) ?? null;
  const lastRef = useRef(lastId);
  lastRef.current = lastId;

  useLayoutEffect(() => {
    if (order.length > 0 && atEnd.current) rows.scrollToEnd();
  }, [rows, order.length]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const check = (): void => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight <= nearEnd;
      if (near === atEnd.current) return;
      atEnd.current = near;
      setAway(!near);
      setSeen(near ? null : lastRef.current);
    };
    const keep = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    element.addEventListener('scroll', check, { passive: true });
    keep.observe(element);
    return () => {
      element.removeEventListener('scroll', check);
      keep.disconnect();
    };
  }, [scroller]);

  const jump = useCallback(() => {
    atEnd.current = true;
    setAway(false);
    setSeen(null);
    rows.scrollToEnd();
  }, [rows]);

  const fresh = seen === null ? 0 : Math.max(0, order.length - 1 - order.lastIndexOf(seen));
  return { away, fresh, jump };
};
