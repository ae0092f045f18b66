// What changed between two revisions of a row. Pure.
import { same } from './draft';

export interface Revision {
  version: number;
  scope?: string | null;
  actor?: string | null;
  cause?: string | null;
  at?: string | null;
  model?: Record<string, unknown> | null;
}

export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

const notOfInterest = new Set(['version', 'id', 'orgId', 'metadata', 'updatedAt', 'createdAt']);

/** Against the newest older revision of the same row; null where there is none. */
export function differences(revision: Revision, older: readonly Revision[]): Difference[] | null {
  const before = older.find((other) => other.scope === revision.scope)?.model;
  const after = revision.model;
  if (!before || !after) return null;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => !notOfInterest.has(name) && !same(before[name], after[name]))
    .map((name) => ({ name, before: before[name], after: after[name] }));
}
