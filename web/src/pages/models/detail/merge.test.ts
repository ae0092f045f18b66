import { expect, it } from 'vitest';

import { aModel } from '../../../test/models';
import { changesIn, resetField, setField } from './draft';
import { isDecided, mergeRows, rebased, theirChanges } from './merge';

const base = aModel({ version: 1, displayName: 'A', description: 'd', tags: ['x'] });
const draft = setField(setField({ base, patch: {} }, 'displayName', 'Mine'), 'contextWindow', 100);

it('is no change to set a field to what it was', () => {
  expect(changesIn(setField(draft, 'displayName', 'A'))).toEqual(['contextWindow']);
  expect(changesIn(setField({ base, patch: {} }, 'family', ''))).toEqual([]);
});

it('sees a conflict only where both changed a field', () => {
  const theirs = { ...base, version: 2, displayName: 'Theirs', description: 'new' };
  const rows = mergeRows(draft, theirs);
  expect(rows.filter((row) => row.conflict).map((row) => row.name)).toEqual(['displayName']);
  expect(theirChanges(draft, theirs).map((change) => change.name)).toEqual(['description']);
  expect(isDecided(rows, {})).toBe(false);
  expect(isDecided(rows, { displayName: 'theirs' })).toBe(true);
});

it('sends only what was chosen, on the version that is there', () => {
  const theirs = { ...base, version: 2, displayName: 'Theirs' };
  expect(rebased(draft, theirs, { displayName: 'theirs' })).toEqual({ base: theirs, patch: { contextWindow: 100 } });
  expect(rebased(draft, theirs, { displayName: 'mine' }).patch).toEqual({ displayName: 'Mine', contextWindow: 100 });
});

it('has nothing to send where both did the same', () => {
  const theirs = { ...base, version: 2, displayName: 'Mine', contextWindow: 100 };
  expect(mergeRows(draft, theirs).some((row) => row.conflict)).toBe(false);
  expect(rebased(draft, theirs, {}).patch).toEqual({});
});

it('keeps a reset as a reset', () => {
  const reset = resetField({ base, patch: {} }, 'displayName');
  expect(rebased(reset, { ...base, version: 2, tags: [] }, {}).patch).toEqual({ displayName: null });
});
