// Which rows are selected, and which one the keyboard is at. Pure.
export interface Selection {
  ids: ReadonlySet<string>;
  /** The row that the arrow keys move from. */
  active: number;
  /** Where a range with Shift begins. */
  anchor: number;
}

export type SelectionAction =
  | { type: 'move'; to: number; extend: boolean }
  | { type: 'toggle'; index: number; extend?: boolean }
  | { type: 'all' }
  | { type: 'none' }
  | { type: 'focus'; index: number };

export const nothingSelected: Selection = { ids: new Set(), active: 0, anchor: 0 };

function range(shown: readonly string[], from: number, to: number): string[] {
  return shown.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/** `shown` are the ids of the rows in order. Rows that the filter does not show keep their selection. */
export function reduceSelection(selection: Selection, action: SelectionAction, shown: readonly string[]): Selection {
  const last = Math.max(shown.length - 1, 0);
  switch (action.type) {
    case 'focus':
      return { ...selection, active: action.index };
    case 'move': {
      const active = Math.min(Math.max(action.to, 0), last);
      if (!action.extend) return { ...selection, active, anchor: active };
      return { ...selection, active, ids: new Set([...selection.ids, ...range(shown, selection.anchor, active)]) };
    }
    case 'toggle': {
      const ids = new Set(selection.ids);
      if (action.extend) {
        for (const id of range(shown, selection.anchor, action.index)) ids.add(id);
        return { ids, active: action.index, anchor: selection.anchor };
      }
      const id = shown[action.index];
      if (id !== undefined && !ids.delete(id)) ids.add(id);
      return { ids, active: action.index, anchor: action.index };
    }
    case 'all':
      return { ...selection, ids: new Set([...selection.ids, ...shown]) };
    case 'none':
      return { ...selection, ids: new Set() };
  }
}
