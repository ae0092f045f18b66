// Two people changed one model: what each did, field by field, and what is sent after the person has chosen. Pure.
import type { Model, ModelPatch } from '../../../api/types';
import { changesIn, type Draft, same } from './draft';
import type { FieldName } from './fields';

export interface MergeRow {
  name: FieldName;
  before: unknown;
  mine: unknown;
  theirs: unknown;
  /** Both changed it, to different values. */
  conflict: boolean;
}

export type Side = 'mine' | 'theirs';

/** One row for each field of the draft. */
export function mergeRows(draft: Draft, theirs: Model): MergeRow[] {
  return changesIn(draft).map((name) => {
    const before = draft.base[name];
    const now = theirs[name];
    const mine = draft.patch[name];
    return { name, before, mine, theirs: now, conflict: !same(before, now) && !same(mine, now) };
  });
}

const compared: FieldName[] = [
  'enabled',
  'hidden',
  'blocked',
  'displayName',
  'description',
  'kind',
  'tags',
  'lifecycle',
  'deprecatesAt',
  'retiresAt',
  'maintenanceUntil',
  'maintenanceReason',
  'family',
  'license',
  'contextWindow',
  'inputTokensMax',
  'outputTokensMax',
  'embeddingDimensions',
  'capabilities',
  'metadata',
  'params',
];

/** Fields that only the others changed: they stay as they are now. */
export function theirChanges(draft: Draft, theirs: Model): { name: FieldName; before: unknown; now: unknown }[] {
  return compared
    .filter((name) => draft.patch[name] === undefined && !same(draft.base[name], theirs[name]))
    .map((name) => ({ name, before: draft.base[name], now: theirs[name] }));
}

/** The draft on the version that is there now, with the fields for which the person's own value was chosen. */
export function rebased(draft: Draft, theirs: Model, chosen: Partial<Record<FieldName, Side>>): Draft {
  const patch: Record<string, unknown> = {};
  for (const row of mergeRows(draft, theirs)) {
    const side = chosen[row.name] ?? (row.conflict ? undefined : 'mine');
    if (side === 'mine' && !same(row.mine, row.theirs)) patch[row.name] = row.mine;
  }
  return { base: theirs, patch: patch as ModelPatch };
}

/** Every conflict has a side. */
export const isDecided = (rows: MergeRow[], chosen: Partial<Record<FieldName, Side>>) =>
  rows.every((row) => !row.conflict || chosen[row.name] !== undefined);
