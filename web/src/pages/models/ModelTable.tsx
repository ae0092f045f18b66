import { mdiArrowDown, mdiArrowUp } from '@mdi/js';
import { memo, useEffect, useRef } from 'react';

import { type Model, nameOf } from '../../api/types';
import { Icon } from '../../components/Icon';
import { useFixedRows } from '../../components/useFixedRows';
import { texts } from '../../texts';
import { columns, type Column, gridOf } from './columns';
import type { Order } from './filters';
import { handleListKey, type ListProps } from './listProps';
import css from './ModelTable.module.css';
import { EnabledSwitch, SelectBox } from './RowControls';

const rowHeight = 60;
const t = texts.models;

interface TableProps extends ListProps {
  shownColumns: readonly string[];
  order: Order;
  onOrder: (order: Order) => void;
}

export function ModelTable(props: TableProps) {
  const { models, selection, select, editable, order, onOrder } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { rows, height, reveal } = useFixedRows({
    scroller,
    count: models.length,
    rowHeight,
    overscan: 10,
    headHeight: 48,
  });
  const { active } = selection;
  useEffect(() => {
    if (active < models.length) reveal(active);
    // Only when the keyboard moves, not when rows arrive.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [active]);

  const shown = columns.filter((column) => column.fixed || props.shownColumns.includes(column.id));
  const grid = gridOf(shown, editable);
  const { gridTemplateColumns: template, minWidth } = grid;
  const allSelected = models.length > 0 && models.every((model) => selection.ids.has(model.slug));
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
      onKeyDown={(event) => handleListKey(event, props)}
    >
      <div role="rowgroup" style={{ position: 'sticky', top: 0, zIndex: 2 }}>
        <div role="row" aria-rowindex={1} className={css.head} style={grid}>
          {editable && (
            <span role="columnheader">
              <label className={css.hit}>
                <input
                  type="checkbox"
                  className={css.check}
                  checked={allSelected}
                  ref={(box) => {
                    if (box) box.indeterminate = !allSelected && selection.ids.size > 0;
                  }}
                  aria-label={t.selectAll}
                  onChange={() => select({ type: allSelected ? 'none' : 'all' })}
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
      <div role="rowgroup" style={{ position: 'relative', height }}>
        {rows.map(({ index, top }) => {
          const model = models[index];
          return (
            model && (
              <Row
                key={model.slug}
                model={model}
                index={index}
                top={top}
                template={template}
                minWidth={minWidth}
                shown={shown}
                selected={selection.ids.has(model.slug)}
                active={index === active}
                list={props}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

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

interface RowProps {
  model: Model;
  index: number;
  top: number;
  template: string;
  minWidth: number;
  shown: Column[];
  selected: boolean;
  active: boolean;
  list: ListProps;
}

const Row = memo(
  function Row({ model, index, top, template, minWidth, shown, selected, active, list }: RowProps) {
    return (
      <div
        role="row"
        id={`row-${index}`}
        aria-rowindex={index + 2}
        aria-selected={list.editable ? selected : undefined}
        className={[css.row, selected && css.selected, active && css.active, !model.enabled && css.off]
          .filter(Boolean)
          .join(' ')}
        style={{ gridTemplateColumns: template, minWidth, transform: `translateY(${top}px)` }}
        onClick={() => {
          list.select({ type: 'focus', index });
          list.onOpen(model);
        }}
      >
        {list.editable && (
          <span role="gridcell">
            <SelectBox
              model={model}
              selected={selected}
              onSelect={(extend) => list.select({ type: 'toggle', index, extend })}
            />
          </span>
        )}
        {shown.map((column) => (
          <span key={column.id} role="gridcell" className={`${css.cell} ${column.number ? css.number : ''}`}>
            {column.cell(model)}
          </span>
        ))}
        <span role="gridcell" className={css.pinned} title={nameOf(model)}>
          <EnabledSwitch
            model={model}
            disabled={!list.editable}
            onToggle={(enabled) => list.onToggle(model, enabled)}
          />
        </span>
      </div>
    );
  },
  (a, b) =>
    a.model === b.model &&
    a.index === b.index &&
    a.top === b.top &&
    a.template === b.template &&
    a.selected === b.selected &&
    a.active === b.active &&
    a.list.editable === b.list.editable &&
    a.list.onOpen === b.list.onOpen &&
    a.list.onToggle === b.list.onToggle,
);
