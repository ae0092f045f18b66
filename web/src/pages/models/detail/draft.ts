// What a person has changed of a model and not saved yet. Pure, but for the drafts that outlive a closed drawer.
import type { Model, ModelPatch } from '../../../api/types';
import { makeStore, type Store } from '../../../store';
import type { FieldName } from './fields';

export interface Draft {
  /** The model that the changes were made from. */
  base: Model;
  patch: ModelPatch;
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(normal(a)) === JSON.stringify(normal(b));

/** Absent, null and '' are the same to a person; members of objects have no order. */
function normal(value: unknown): unknown {
  if (value === undefined || value === '') return null;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, member]) => [key, normal(member)]),
    );
  return value;
}

/** The draft with a field set. A field that is set to what it was is no change. */
export function setField(draft: Draft, name: FieldName, value: unknown): Draft {
  const patch = { ...draft.patch };
  if (same(value, draft.base[name])) delete patch[name];
  else Object.assign(patch, { [name]: value });
  return { ...draft, patch };
}

/** The draft with a field that gives up its own value. */
export function resetField(draft: Draft, name: FieldName): Draft {
  return { ...draft, patch: { ...draft.patch, [name]: null } };
}

export function keepField(draft: Draft, name: FieldName): Draft {
  const patch = { ...draft.patch };
  delete patch[name];
  return { ...draft, patch };
}

export const isReset = (draft: Draft, name: FieldName) => draft.patch[name] === null;

export const changesIn = (draft: Draft) => Object.keys(draft.patch) as FieldName[];

/** What the form shows: the change, or what is there. */
export function valueIn(draft: Draft, name: FieldName): unknown {
  const changed = draft.patch[name];
  return changed === undefined || changed === null ? draft.base[name] : changed;
}

const drafts = new Map<string, Store<Draft | null>>();

/** The draft of a model. It stays when the drawer closes or the session ends, until it is saved or discarded. */
export function draftOf(org: string, slug: string): Store<Draft | null> {
  const key = `${org}\n${slug}`;
  let store = drafts.get(key);
  if (!store) {
    store = makeStore<Draft | null>(null);
    drafts.set(key, store);
  }
  return store;
}

export const hasDrafts = () =>
  [...drafts.values()].some((store) => (store.get()?.patch && changesIn(store.get() as Draft).length > 0) ?? false);
