import { expect, it } from 'vitest';

import { nothingSelected, reduceSelection, type SelectionAction } from './selection';

const shown = ['a', 'b', 'c', 'd'];
const after = (...actions: SelectionAction[]) =>
  actions.reduce((s, action) => reduceSelection(s, action, shown), nothingSelected);

it('extends a range from where it began', () => {
  const selection = after(
    { type: 'move', to: 1, extend: false },
    { type: 'move', to: 2, extend: true },
    { type: 'move', to: 3, extend: true },
  );
  expect([...selection.ids]).toEqual(['b', 'c', 'd']);
  expect(selection.active).toBe(3);
});

it('stops at the ends', () => {
  expect(after({ type: 'move', to: -3, extend: false }).active).toBe(0);
  expect(after({ type: 'move', to: 99, extend: false }).active).toBe(3);
});

it('selects what is shown and keeps what is not', () => {
  const before = { ...nothingSelected, ids: new Set(['hidden']) };
  expect([...reduceSelection(before, { type: 'all' }, shown).ids]).toEqual(['hidden', 'a', 'b', 'c', 'd']);
});

it('toggles one, and a range with Shift', () => {
  expect([...after({ type: 'toggle', index: 1 }, { type: 'toggle', index: 1 }).ids]).toEqual([]);
  expect([...after({ type: 'toggle', index: 0 }, { type: 'toggle', index: 2, extend: true }).ids]).toEqual([
    'a',
    'b',
    'c',
  ]);
});
