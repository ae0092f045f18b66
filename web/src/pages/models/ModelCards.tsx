import { memo, useEffect, useLayoutEffect, useRef, useState } from 'react';

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
import { useFixedRows } from '../../components/useFixedRows';
import { formatCompact, formatNumber } from '../../format';
import { texts } from '../../texts';
import { priceText } from './columns';
import { handleListKey, type ListProps } from './listProps';
import css from './ModelTable.module.css';
import { EnabledSwitch, keepFocus, SelectBox } from './RowControls';

// As in the style sheet.
const cardHeight = 196;
const cardWidthMin = 296;
const gap = 12;
const t = texts.models;

export function ModelCards(props: ListProps) {
  const { models, selection, select, editable, onOpen, onToggle } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth - 2 * gap));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const perLine = Math.max(1, Math.floor((width + gap) / (cardWidthMin + gap)));
  const lineCount = width === 0 ? 0 : Math.ceil(models.length / perLine);
  const {
    rows: lines,
    height,
    above,
    reveal,
  } = useFixedRows({ scroller, count: lineCount, rowHeight: cardHeight + gap, overscan: 4, padding: gap });
  const line = Math.floor(selection.active / perLine);
  useEffect(() => {
    if (line < lineCount) reveal(line);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [line]);
  const rendered = lines.some((item) => item.index === line);
  return (
    <div
      ref={scroller}
      className={css.scroller}
      role="grid"
      tabIndex={0}
      aria-label={t.title}
      aria-description={t.keysHint}
      aria-rowcount={models.length}
      aria-multiselectable={editable}
      aria-activedescendant={rendered && models[selection.active] ? `card-${selection.active}` : undefined}
      onMouseDown={keepFocus}
      onKeyDown={(event) => handleListKey(event, props, { perLine, perPage: perLine * 3 })}
    >
      <div
        role="rowgroup"
        className={css.cards}
        style={{ height, paddingTop: above, gridTemplateColumns: `repeat(${perLine}, minmax(0, 1fr))` }}
      >
        {lines.flatMap((item) =>
          models.slice(item.index * perLine, (item.index + 1) * perLine).map((model, column) => {
            const index = item.index * perLine + column;
            return (
              <Card
                key={`${item.slot}-${column}`}
                model={model}
                index={index}
                selected={selection.ids.has(model.slug)}
                active={index === selection.active}
                editable={editable}
                select={select}
                onOpen={onOpen}
                onToggle={onToggle}
              />
            );
          }),
        )}
      </div>
    </div>
  );
}

interface CardProps extends Pick<ListProps, 'editable' | 'select' | 'onOpen' | 'onToggle'> {
  model: Model;
  index: number;
  selected: boolean;
  active: boolean;
}

const Card = memo(function Card(props: CardProps) {
  const { model, index, selected, editable, select, onOpen, onToggle } = props;
  const price = priceText(model);
  return (
    <div
      id={`card-${index}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={editable ? selected : undefined}
      className={[css.card, selected && css.selected, props.active && css.active, !model.enabled && css.off]
        .filter(Boolean)
        .join(' ')}
      onClick={() => {
        select({ type: 'focus', index });
        onOpen(model);
      }}
    >
      <div role="gridcell" className={css.cardCell}>
        <div className={css.cardHead}>
          {editable && (
            <SelectBox
              model={model}
              selected={selected}
              onSelect={(extend) => select({ type: 'toggle', index, extend })}
            />
          )}
          <span className={css.names}>
            <span className={css.name}>{nameOf(model)}</span>
            <span className={css.slug}>{`${model.provider}:${model.modelName}`}</span>
          </span>
          <EnabledSwitch model={model} disabled={!editable} onToggle={(enabled) => onToggle(model, enabled)} />
        </div>
        <div className={css.cardChips}>
          <StatusChip status={model.status} />
          <ScopeChip scope={model.scope} />
          {model.isDefault && <DefaultChip />}
          <LifecycleChip lifecycle={model.lifecycle} />
          {model.hidden && <HiddenChip />}
        </div>
        <span className={chipGroup}>
          <CapabilityChips capabilities={model.capabilities} max={3} />
        </span>
        <div className={css.cardNumbers}>
          <span>{t.kind[model.kind] ?? model.kind}</span>
          {model.contextWindow != null && (
            <span title={formatNumber(model.contextWindow)}>{t.contextShort(formatCompact(model.contextWindow))}</span>
          )}
          {model.outputTokensMax != null && <span>{t.outputShort(formatCompact(model.outputTokensMax))}</span>}
          {price && <span title={t.priceHint}>{price}</span>}
        </div>
        {model.tags.length > 0 && (
          <span className={chipGroup}>
            <Tags tags={model.tags} />
          </span>
        )}
      </div>
    </div>
  );
});
