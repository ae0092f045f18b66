import { mdiArrowDown, mdiArrowUp } from '@mdi/js';
import { type Dispatch, memo, type RefObject, useEffect, useLayoutEffect, useMemo, useRef } from 'react';

import { type Model, nameOf } from '../../api/types';
import { Icon } from '../../components/Icon';
import { useFixedRows } from '../../components/useFixedRows';
import { texts } from '../../texts';
import { columns, type Column, gridOf } from './columns';
import type { Order } from './filters';
import { handleListKey, type ListProps } from './listProps';
import css from './ModelTable.module.css';
import { EnabledSwitch, keepFocus, SelectBox } from './RowControls';
import type { SelectionAction } from './selection';

const rowHeight = 60;
const t = texts.models;

interface TableProps extends ListProps {
  shownColumns: readonly string[];
  order: Order;
  onOrder: (order: Order) => void;
}

export function ModelTable(props: TableProps) {
  const { models, selection, select, editable, onOpen, onToggle, shownColumns } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { rows, height, above, reveal } = useFixedRows({
    scroller,
    count: models.length,
    rowHeight,
    overscan: 6,
    headHeight: 48,
  });
  const { active } = selection;
  useEffect(() => {
    if (active < models.length) reveal(active);
    // Only when the keyboard moves, not when rows arrive.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [active]);

  const shown = useMemo(
    () => columns.filter((column) => column.fixed || shownColumns.includes(column.id)),
    [shownColumns],
  );
  const grid = useMemo(() => gridOf(shown, editable), [shown, editable]);
  const allSelected = useMemo(
    () => models.length > 0 && selection.ids.size > 0 && models.every((model) => selection.ids.has(model.slug)),
    [models, selection.ids],
  );
  usePinned(scroller, grid.minWidth);
  return (
    <div
      ref={scroller}
      className={css.scroller}
      role="grid"
      tabIndex={0}
      aria-label={t.title}
      aria-description={t.keysHint}
      aria-rowcount={models.length + 1}
      aria-multiselectable={editable}
      aria-activedescendant={rows.some((row) => row.index === active) ? `row-${active}` : undefined}
      onMouseDown={keepFocus}
      onKeyDown={(event) => handleListKey(event, props)}
    >
      <Head
        shown={shown}
        grid={grid}
        order={props.order}
        onOrder={props.onOrder}
        editable={editable}
        selected={allSelected ? 'all' : selection.ids.size > 0 ? 'some' : 'none'}
        select={select}
      />
      <div role="rowgroup" style={{ height, paddingTop: above }}>
        {rows.map(({ index, slot }) => {
          const model = models[index];
          return (
            model && (
              <Row
                key={slot}
                model={model}
                index={index}
                grid={grid}
                shown={shown}
                selected={selection.ids.has(model.slug)}
                active={index === active}
                editable={editable}
                select={select}
                onOpen={onOpen}
                onToggle={onToggle}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

/** Keeps the last column in sight. How far it is moved is a variable of the style sheet, so that React renders nothing. */
function usePinned(scroller: RefObject<HTMLElement | null>, widthMin: number) {
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let before = NaN;
    const look = () => {
      const left = element.scrollLeft + element.clientWidth - Math.max(widthMin, element.clientWidth);
      if (left !== before) element.style.setProperty('--pinned-left', `${left}px`);
      before = left;
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, [scroller, widthMin]);
}

interface HeadProps {
  shown: Column[];
  grid: ReturnType<typeof gridOf>;
  order: Order;
  onOrder: (order: Order) => void;
  editable: boolean;
  selected: 'all' | 'some' | 'none';
  select: Dispatch<SelectionAction>;
}

const Head = memo(function Head({ shown, grid, order, onOrder, editable, selected, select }: HeadProps) {
  return (
    <div role="rowgroup" style={{ position: 'sticky', top: 0, zIndex: 2 }}>
      <div role="row" aria-rowindex={1} className={css.head} style={grid}>
        {editable && (
          <span role="columnheader">
            <label className={css.hit}>
              <input
                type="checkbox"
                className={css.check}
                checked={selected === 'all'}
                ref={(box) => {
                  if (box) box.indeterminate = selected === 'some';
                }}
                aria-label={t.selectAll}
                onChange={() => select({ type: selected === 'all' ? 'none' : 'all' })}
              />
            </label>
          </span>
        )}
        {shown.map((column) => (
          <Header key={column.id} column={column} order={order} onOrder={onOrder} />
        ))}
        <span role="columnheader" className={css.pinned}>
          {t.column.enabled}
        </span>
      </div>
    </div>
  );
});

function Header({ column, order, onOrder }: { column: Column; order: Order; onOrder: (order: Order) => void }) {
  const here = order.column === column.id;
  const label = t.column[column.id];
  if (!column.sortable)
    return (
      <span role="columnheader" className={column.number ? css.number : ''}>
        {label}
      </span>
    );
  // Up, down, and back to the order of the server.
  const next = !here
    ? { column: column.id, descending: false }
    : { column: order.descending ? '' : column.id, descending: !order.descending };
  return (
    <span
      role="columnheader"
      className={column.number ? css.number : ''}
      aria-sort={here ? (order.descending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" onClick={() => onOrder(next)}>
        {label}
        {here && <Icon path={order.descending ? mdiArrowDown : mdiArrowUp} sx={{ fontSize: 16 }} />}
      </button>
    </span>
  );
}

interface RowProps extends Pick<ListProps, 'editable' | 'select' | 'onOpen' | 'onToggle'> {
  model: Model;
  index: number;
  grid: ReturnType<typeof gridOf>;
  shown: Column[];
  selected: boolean;
  active: boolean;
}

const classOf = (column: Column, model: Model) =>
  [css.cell, column.number && css.number, column.absent?.(model) && css.absent, column.className]
    .filter(Boolean)
    .join(' ');

const Row = memo(function Row(props: RowProps) {
  const { model, index, grid, selected, editable, select, onOpen, onToggle } = props;
  return (
    <div
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + 2}
      aria-selected={editable ? selected : undefined}
      className={[css.row, selected && css.selected, props.active && css.active, !model.enabled && css.off]
        .filter(Boolean)
        .join(' ')}
      style={grid}
      onClick={() => {
        select({ type: 'focus', index });
        onOpen(model);
      }}
    >
      {editable && (
        <SelectBox
          role="gridcell"
          model={model}
          selected={selected}
          onSelect={(extend) => select({ type: 'toggle', index, extend })}
        />
      )}
      {props.shown.map((column) => (
        <span key={column.id} role="gridcell" className={classOf(column, model)}>
          {column.cell(model)}
        </span>
      ))}
      <span role="gridcell" className={css.pinned} title={nameOf(model)}>
        <EnabledSwitch model={model} disabled={!editable} onToggle={(enabled) => onToggle(model, enabled)} />
      </span>
    </div>
  );
});
