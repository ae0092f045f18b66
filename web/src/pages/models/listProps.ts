import type { Dispatch, KeyboardEvent } from 'react';

import type { Model } from '../../api/types';
import type { Selection, SelectionAction } from './selection';

/** What the table and the cards share. */
export interface ListProps {
  models: Model[];
  selection: Selection;
  select: Dispatch<SelectionAction>;
  /** Whether the person may change models; without it nothing is selected or switched. */
  editable: boolean;
  onOpen: (model: Model) => void;
  onToggle: (model: Model, enabled: boolean) => void;
}

/** The keyboard of both: the list has the focus, and its rows are moved through. */
export function handleListKey(
  event: KeyboardEvent,
  { models, selection, select, editable, onOpen, onToggle }: ListProps,
  { perLine = 1, perPage = 10 }: { perLine?: number; perPage?: number } = {},
) {
  if (event.target !== event.currentTarget) return;
  const move = (to: number) => select({ type: 'move', to, extend: event.shiftKey && editable });
  const model = models[selection.active];
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(selection.active + perLine),
    ArrowUp: () => move(selection.active - perLine),
    PageDown: () => move(selection.active + perPage),
    PageUp: () => move(selection.active - perPage),
    Home: () => move(0),
    End: () => move(models.length - 1),
    Enter: () => model && onOpen(model),
    ...(perLine > 1
      ? { ArrowRight: () => move(selection.active + 1), ArrowLeft: () => move(selection.active - 1) }
      : {}),
    ...(editable
      ? {
          ' ': () => select({ type: 'toggle', index: selection.active }),
          Escape: () => select({ type: 'none' }),
          e: () => model && onToggle(model, !model.enabled),
        }
      : {}),
  };
  const withControl = event.ctrlKey || event.metaKey;
  const action = withControl
    ? event.key.toLowerCase() === 'a' && editable
      ? () => select({ type: 'all' })
      : undefined
    : keys[event.key];
  if (!action || event.altKey) return;
  event.preventDefault();
  action();
}
