// Which rows of a long list are in the window, where each is equally high. React renders again only when the list has
// scrolled by some rows, not with each pixel.
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

export interface FixedRows {
  rows: { index: number; top: number }[];
  height: number;
  /** Scrolls no further than needed. */
  reveal: (index: number) => void;
}

interface Window {
  first: number;
  end: number;
}

/** Rows from `first` to before `end`, in steps, so that the window changes seldom. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, overscan: number): Window {
  const step = Math.max(1, Math.floor(overscan / 2));
  const first = Math.floor(scrollTop / rowHeight / step) * step - overscan;
  const shown = Math.ceil(height / rowHeight) + step;
  return { first: Math.max(0, first), end: Math.max(0, first + shown + 2 * overscan) };
}

export function useFixedRows(options: Options): FixedRows {
  const { scroller, count, rowHeight, overscan, padding = 0, headHeight = 0 } = options;
  const [shown, setShown] = useState<Window>({ first: 0, end: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const next = windowOf(element.scrollTop, element.clientHeight, rowHeight, overscan);
      setShown((last) => (last.first === next.first && last.end === next.end ? last : next));
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
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
    top: padding + (first + i) * rowHeight,
  }));
  return { rows, height: 2 * padding + count * rowHeight, reveal };
}
