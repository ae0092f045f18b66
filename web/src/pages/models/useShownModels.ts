import { useRef } from 'react';

import type { Model } from '../../api/types';
import { type Filter, matcher, type Order, sorted } from './filters';

interface Kept {
  key: string;
  models: Model[];
  order: string[];
}

/** Which models are shown, by slug, in order. `kept` is what was shown for the same key: its rows stay although they may not match now. */
export function arrange(models: Model[], filter: Filter, order: Order, kept: ReadonlySet<string>): string[] {
  const matches = matcher(filter);
  return sorted(
    models.filter((model) => kept.has(model.slug) || matches(model)),
    order,
  ).map((model) => model.slug);
}

const sameRows = (a: Model[], b: Model[]) => a.length === b.length && a.every((model, i) => model.slug === b[i]?.slug);

/**
 * The models that the filter shows. The order is kept while people edit: a row that is changed neither moves nor vanishes
 * until the filter, the order or `refresh` changes.
 */
export function useShownModels(models: Model[], filter: Filter, order: Order, refresh: unknown): Model[] {
  const kept = useRef<Kept | null>(null);
  const key = JSON.stringify([filter, order, refresh]);
  const before = kept.current;
  if (!before || before.key !== key || !sameRows(before.models, models)) {
    const rows = before?.key === key ? new Set(before.order) : new Set<string>();
    kept.current = { key, models, order: arrange(models, filter, order, rows) };
  } else {
    before.models = models;
  }
  const bySlug = new Map(models.map((model) => [model.slug, model]));
  return (kept.current?.order ?? []).flatMap((slug) => bySlug.get(slug) ?? []);
}
