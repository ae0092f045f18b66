import { describe, expect, it } from 'vitest';

import { counted, formatAge, formatPrice } from './format';

describe('formatPrice', () => {
  it.each([
    ['0.15', '$0.15'],
    ['3', '$3.00'],
    ['0.000075', '$0.000075'],
    ['0.0750', '$0.075'],
    ['1234.5', '$1,234.50'],
  ])('shows %s as %s', (decimal, shown) => expect(formatPrice(decimal)).toBe(shown));

  it('never shows a price above zero as zero', () => {
    for (const decimal of ['0.0000001', '0.00000000001']) expect(formatPrice(decimal)).toMatch(/[1-9]/);
  });
});

it('counts in words', () => {
  expect(counted(1, 'model', 'models')).toBe('1 model');
  expect(counted(2000, 'model', 'models')).toBe('2,000 models');
});

it('writes ages in the largest unit that fits', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  expect(formatAge('2026-01-01T00:00:00Z', now)).toBe('yesterday');
  expect(formatAge('2026-01-01T23:55:00Z', now)).toBe('5 minutes ago');
  expect(formatAge(null, now)).toBe('');
});
