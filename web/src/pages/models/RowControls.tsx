// The switch and the checkbox of a row. Native elements: hundreds of them pass by while the list scrolls. The keyboard
// reaches them through the list (Space, E), so that Tab does not stop at each.
import type { MouseEvent } from 'react';

import { type Model, nameOf } from '../../api/types';
import { texts } from '../../texts';
import css from './ModelTable.module.css';

export function SelectBox(props: {
  model: Model;
  selected: boolean;
  onSelect: (extend: boolean) => void;
  role?: 'gridcell';
}) {
  return (
    <span
      role={props.role}
      className={css.hit}
      onClick={(event) => {
        event.stopPropagation();
        props.onSelect(event.shiftKey);
      }}
    >
      <input
        type="checkbox"
        className={css.check}
        tabIndex={-1}
        checked={props.selected}
        aria-label={texts.models.select(nameOf(props.model))}
        onChange={() => undefined}
      />
    </span>
  );
}

/** Keeps the focus on the list: a row that is scrolled away hands its controls to another model. */
export function keepFocus(event: MouseEvent<HTMLElement>) {
  if (!(event.target instanceof HTMLInputElement)) return;
  event.preventDefault();
  event.currentTarget.focus({ preventScroll: true });
}

export function EnabledSwitch({
  model,
  onToggle,
  disabled,
}: {
  model: Model;
  onToggle: (enabled: boolean) => void;
  disabled: boolean;
}) {
  return (
    <input
      type="checkbox"
      role="switch"
      className={css.switch}
      tabIndex={-1}
      checked={model.enabled}
      disabled={disabled}
      aria-label={texts.models.toggle(nameOf(model))}
      title={model.enabled ? texts.models.disable : texts.models.enable}
      onClick={(event) => event.stopPropagation()}
      onChange={(event) => onToggle(event.target.checked)}
    />
  );
}
