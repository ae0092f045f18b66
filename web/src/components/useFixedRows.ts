// Which rows of a long list are in the window, where each is equally high. React renders again only when the list has
// scrolled by some rows, not with each pixel. A row that leaves hands its slot, and so its elements, to one that enters:
// new text in elements that exist costs a browser much less than new elements. Rows follow each other in the page, below a
// padding: to move each by a style of its own, Chromium computes the style of each again, and that for longer each time.
import { type RefObject, useCallback, useLayoutEffect, useState } from 'react';

interface Options {
  scroller: RefObject<HTMLElement | null>;
  count: number;
  rowHeight: number;
  /** Rows above and below the window that are rendered, too. */
  overscan: number;
  /** Above the first row and below the last. */
  padding?: number;
  /** What stays above the rows while they scroll. */
  headHeight?: number;
}

export interface FixedRow {
  index: number;
  /** The key of its elements. */
  slot: number;
}

export interface FixedRows {
  rows: FixedRow[];
  /** Of all rows, and what of it is above the first one that is rendered. */
  height: number;
  above: number;
  /** Scrolls no further than needed. */
  reveal: (index: number) => void;
}

export interface Window {
  first: number;
  end: number;
  /** Of the rows from `first` to before `end`. */
  slots: readonly number[];
}

/** Of a list that moves by more than a third of what is seen between two looks. Rows further away would be gone unseen. */
const overscanOfJump = 2;
/** After a jump, the list rests when it has not moved for this long. */
const restMs = 100;

/** Rows from `first` to before `end`, in steps, so that the window changes seldom. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, overscan: number) {
  const step = Math.max(1, Math.floor(overscan / 2));
  const first = Math.floor(scrollTop / rowHeight / step) * step - overscan;
  const shown = Math.ceil(height / rowHeight) + step;
  return { first: Math.max(0, first), end: Math.max(0, first + shown + 2 * overscan) };
}

/** The window from `first` to before `end`. Rows that stay keep their slots, and others get those of the rows that leave. */
export function moved(before: Window, first: number, end: number): Window {
  if (before.first === first && before.end === end) return before;
  const stays = (index: number) => index >= first && index < end;
  const free = before.slots.filter((_, i) => !stays(before.first + i));
  let next = before.slots.length === 0 ? 0 : Math.max(...before.slots) + 1;
  const slots = Array.from({ length: end - first }, (_, i) => {
    const kept = before.slots[first + i - before.first];
    return kept ?? free.shift() ?? next++;
  });
  return { first, end, slots };
}

export function useFixedRows(options: Options): FixedRows {
  const { scroller, count, rowHeight, overscan, padding = 0, headHeight = 0 } = options;
  const [shown, setShown] = useState<Window>({ first: 0, end: 0, slots: [] });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let height = element.clientHeight;
    let top = element.scrollTop;
    let rest: ReturnType<typeof setTimeout> | undefined;
    const show = (around: number) => {
      const next = windowOf(top, height, rowHeight, around);
      setShown((before) => moved(before, next.first, next.end));
    };
    const onScroll = () => {
      const before = top;
      top = element.scrollTop;
      const jumps = Math.abs(top - before) > height / 3;
      clearTimeout(rest);
      if (jumps || rest !== undefined)
        rest = setTimeout(() => {
          rest = undefined;
          show(overscan);
        }, restMs);
      show(jumps ? Math.min(overscan, overscanOfJump) : overscan);
    };
    const onResize = () => {
      height = element.clientHeight;
      top = element.scrollTop;
      show(overscan);
    };
    show(overscan);
    element.addEventListener('scroll', onScroll, { passive: true });
    const observer = new ResizeObserver(onResize);
    observer.observe(element);
    return () => {
      clearTimeout(rest);
      element.removeEventListener('scroll', onScroll);
      observer.disconnect();
    };
  }, [scroller, rowHeight, overscan]);
  const reveal = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (!element) return;
      const top = padding + index * rowHeight;
      const bottom = top + rowHeight + headHeight;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
    },
    [scroller, padding, rowHeight, headHeight],
  );
  // A filter may leave fewer rows than the list was scrolled by; the browser then scrolls back, and reports it later.
  const end = Math.min(shown.end, count);
  const first = Math.min(shown.first, Math.max(0, end - (shown.end - shown.first)));
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, i) => ({
    index: first + i,
    slot: shown.slots[i] ?? i,
  }));
  return { rows, height: 2 * padding + count * rowHeight, above: padding + first * rowHeight, reveal };
}
