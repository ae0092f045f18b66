import { describe, expect, it } from 'vitest';

import { windowOf } from './useFixedRows';

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
