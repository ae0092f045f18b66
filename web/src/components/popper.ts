// Places tooltips and lists of suggestions beside their field. It replaces @popperjs/core, of which MUI needs little:
// a side, the other side where there is more room, and nothing beyond the window.
interface Modifier {
  name?: string;
  fn?: (context: { state: { placement: string } }) => void;
}

interface Anchor {
  getBoundingClientRect: () => DOMRect;
}

const opposite: Record<string, string> = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' };

interface Size {
  width: number;
  height: number;
}

/** The corner of a box of this size, and the side that it came to. */
export function place(anchor: DOMRect, box: Size, window: Size, placement: string) {
  const [wished = 'bottom', align] = placement.split('-');
  const room: Record<string, number> = {
    top: anchor.top - box.height,
    bottom: window.height - anchor.bottom - box.height,
    left: anchor.left - box.width,
    right: window.width - anchor.right - box.width,
  };
  const other = opposite[wished] ?? 'top';
  const side = (room[wished] ?? 0) < 0 && (room[other] ?? 0) > (room[wished] ?? 0) ? other : wished;
  const along = (start: number, length: number, own: number) =>
    align === 'start' ? start : align === 'end' ? start + length - own : start + (length - own) / 2;
  const upright = side === 'top' || side === 'bottom';
  const left = upright
    ? along(anchor.left, anchor.width, box.width)
    : side === 'left'
      ? anchor.left - box.width
      : anchor.right;
  const top = upright
    ? side === 'top'
      ? anchor.top - box.height
      : anchor.bottom
    : along(anchor.top, anchor.height, box.height);
  const within = (value: number, length: number, max: number) => Math.max(0, Math.min(value, max - length));
  return {
    left: Math.round(within(left, box.width, window.width)),
    top: Math.round(within(top, box.height, window.height)),
    placement: align ? `${side}-${align}` : side,
  };
}

/** As in @popperjs/core, for MUI's Popper. */
export function createPopper(
  anchor: Anchor,
  element: HTMLElement,
  options: { placement?: string; modifiers?: Modifier[] },
) {
  const forceUpdate = () => {
    const window = { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight };
    const box = { width: element.offsetWidth, height: element.offsetHeight };
    const found = place(anchor.getBoundingClientRect(), box, window, options.placement ?? 'bottom');
    Object.assign(element.style, {
      position: 'fixed',
      left: '0',
      top: '0',
      transform: `translate(${found.left}px, ${found.top}px)`,
    });
    element.setAttribute('data-popper-placement', found.placement);
    for (const modifier of options.modifiers ?? [])
      if (modifier.name === 'onUpdate') modifier.fn?.({ state: { placement: found.placement } });
  };
  forceUpdate();
  // Any of the containers may scroll.
  addEventListener('scroll', forceUpdate, { capture: true, passive: true });
  addEventListener('resize', forceUpdate);
  return {
    forceUpdate,
    update: forceUpdate,
    destroy() {
      removeEventListener('scroll', forceUpdate, { capture: true });
      removeEventListener('resize', forceUpdate);
    },
  };
}
