import { describe, expect, it } from 'vitest';

import { moved, windowOf } from './useFixedRows';

describe('the window of a long list', () => {
  it('covers what is seen, and some rows around it', () => {
    for (const scrollTop of [0, 59, 60, 1234, 599_940]) {
      const { first, end } = windowOf(scrollTop, 800, 60, 10);
      expect(first).toBeLessThanOrEqual(Math.max(0, scrollTop / 60 - 10));
      expect(end).toBeGreaterThanOrEqual((scrollTop + 800) / 60 + 9);
      expect(end - first).toBeLessThan(50);
    }
  });

  it('does not change while a list scrolls by less than a step', () => {
    expect(windowOf(6000, 800, 60, 10)).toEqual(windowOf(6299, 800, 60, 10));
    expect(windowOf(6000, 800, 60, 10)).not.toEqual(windowOf(6300, 800, 60, 10));
  });
});

describe('slots', () => {
  const none = { first: 0, end: 0, slots: [] };
  const atStart = moved(none, 0, 4);

  it('stay with rows that stay, and pass to rows that enter', () => {
    expect(atStart.slots).toEqual([0, 1, 2, 3]);
    expect(moved(atStart, 2, 6).slots).toEqual([2, 3, 0, 1]);
    expect(moved(moved(atStart, 2, 6), 1, 5).slots).toEqual([1, 2, 3, 0]);
  });

  it('keep their order in a jump, so that no element moves', () => {
    expect(moved(atStart, 100, 104).slots).toEqual([0, 1, 2, 3]);
  });

  it('are as many as the rows, each once', () => {
    let window = atStart;
    for (const [first, end] of [
      [3, 12],
      [40, 44],
      [38, 50],
      [0, 3],
      [2, 9],
    ] as const) {
      window = moved(window, first, end);
      expect(window.slots).toHaveLength(end - first);
      expect(new Set(window.slots).size).toBe(end - first);
    }
  });

  it('are left alone where the window does not move', () => {
    expect(moved(atStart, 0, 4)).toBe(atStart);
  });
});
