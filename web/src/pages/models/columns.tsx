// The columns of the table: which there are, how wide, what they show. The reader chooses among them.
import type { ReactNode } from 'react';

import { type Model, nameOf } from '../../api/types';
import {
  CapabilityChips,
  chipGroup,
  DefaultChip,
  HiddenChip,
  LifecycleChip,
  ScopeChip,
  StatusChip,
  Tags,
} from '../../components/chips';
import { formatAge, formatDateTime, formatNumber, formatPrice } from '../../format';
import { keptValue } from '../../store';
import { texts } from '../../texts';
import css from './ModelTable.module.css';

export interface Column {
  id: keyof typeof texts.models.column;
  /** In pixels. */
  widthMin: number;
  /** Its share of the room that is left. */
  grow: number;
  number?: boolean;
  sortable?: boolean;
  /** Cannot be taken away. */
  fixed?: boolean;
  /** Of the cell itself: an element in each cell is a thousand elements in a list. */
  className?: string | undefined;
  /** Whether the cell only states that there is no value. */
  absent?: (model: Model) => boolean;
  cell: (model: Model) => ReactNode;
}

const amount = (value: number | null | undefined) => (value == null ? '—' : formatNumber(value));

const isMarked = (model: Model) =>
  model.isDefault || model.hidden || model.lifecycle === 'deprecated' || model.lifecycle === 'preview';

/** Nothing is written while a list is as before, so the time of the newest one is not known of each model. */
const isInNewestList = (model: Model) => model.availability !== 'missing' || !model.missingSince;

export function priceText(model: Model): string | null {
  const prices = (model as { prices?: unknown }).prices as { input?: string; output?: string } | undefined;
  if (!prices?.input && !prices?.output) return null;
  return [prices.input, prices.output].map((price) => (price ? formatPrice(price) : '?')).join(' / ');
}

export const columns: Column[] = [
  {
    id: 'name',
    widthMin: 182,
    grow: 2.2,
    sortable: true,
    fixed: true,
    className: css.names,
    cell: (model) => (
      <>
        {isMarked(model) ? (
          <span className={css.nameLine}>
            <span className={css.name}>{nameOf(model)}</span>
            {model.isDefault && <DefaultChip />}
            <LifecycleChip lifecycle={model.lifecycle} />
            {model.hidden && <HiddenChip />}
          </span>
        ) : (
          <span className={css.name}>{nameOf(model)}</span>
        )}
        <span className={css.slug}>
          {`${model.provider}:${model.modelName}${model.description ? ` · ${model.description}` : ''}`}
        </span>
      </>
    ),
  },
  { id: 'provider', widthMin: 100, grow: 0.7, sortable: true, cell: (model) => model.provider },
  { id: 'kind', widthMin: 88, grow: 0.7, sortable: true, cell: (model) => texts.models.kind[model.kind] ?? model.kind },
  { id: 'status', widthMin: 104, grow: 0.7, sortable: true, cell: (model) => <StatusChip status={model.status} /> },
  { id: 'scope', widthMin: 104, grow: 0.7, sortable: true, cell: (model) => <ScopeChip scope={model.scope} /> },
  {
    id: 'capabilities',
    widthMin: 168,
    grow: 1.3,
    className: chipGroup,
    cell: (model) => <CapabilityChips capabilities={model.capabilities} max={2} />,
  },
  {
    id: 'context',
    widthMin: 84,
    grow: 0.2,
    number: true,
    sortable: true,
    absent: (model) => model.contextWindow == null,
    cell: (model) => amount(model.contextWindow),
  },
  {
    id: 'output',
    widthMin: 100,
    grow: 0.2,
    number: true,
    sortable: true,
    absent: (model) => model.outputTokensMax == null,
    cell: (model) => amount(model.outputTokensMax),
  },
  {
    id: 'price',
    widthMin: 112,
    grow: 0.4,
    number: true,
    absent: (model) => priceText(model) === null,
    cell: (model) => priceText(model) ?? texts.models.priceUnknown,
  },
  { id: 'tags', widthMin: 120, grow: 1, className: chipGroup, cell: (model) => <Tags tags={model.tags} /> },
  {
    id: 'seen',
    widthMin: 132,
    grow: 0.3,
    sortable: true,
    absent: isInNewestList,
    cell: (model) =>
      isInNewestList(model) ? (
        <span title={texts.models.seen.listedHint}>{texts.models.seen.listed}</span>
      ) : (
        <span title={texts.models.seen.untilHint(formatDateTime(model.missingSince))}>
          {texts.models.seen.until(formatAge(model.missingSince))}
        </span>
      ),
  },
  {
    id: 'updated',
    widthMin: 120,
    grow: 0.3,
    sortable: true,
    cell: (model) => <span title={formatDateTime(model.updatedAt)}>{formatAge(model.updatedAt)}</span>,
  },
];

// Those that a window of 1,280 pixels shows without scrolling sideways.
export const chosenColumns = keptValue<string[]>('models.columns', [
  'name',
  'kind',
  'status',
  'scope',
  'capabilities',
  'context',
  'price',
]);

const gap = 12;
const padding = 16;
const boxWidth = 18;
const switchWidth = 60;

/** The tracks of the grid, and the width below which the table scrolls sideways. The same for each row. */
export function gridOf(shown: Column[], withBox: boolean): { gridTemplateColumns: string; minWidth: number } {
  const fixed = [...(withBox ? [boxWidth] : []), switchWidth];
  const widths = [...fixed, ...shown.map((column) => column.widthMin)];
  return {
    gridTemplateColumns: [
      ...(withBox ? [`${boxWidth}px`] : []),
      ...shown.map((column) => `minmax(${column.widthMin}px, ${column.grow}fr)`),
      `${switchWidth}px`,
    ].join(' '),
    minWidth: widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1) + 2 * padding,
  };
}
