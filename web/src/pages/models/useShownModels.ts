import { useMemo, useRef } from 'react';

import type { Model } from '../../api/types';
import { type Filter, matcher, type Order, sorted } from './filters';

interface Kept {
  key: string;
  models: Model[];
  shown: Model[];
}

/** Which models are shown, in order. `kept` are the slugs that were shown for the same key: their rows stay although they may not match now. */
export function arrange(models: Model[], filter: Filter, order: Order, kept: ReadonlySet<string>): Model[] {
  const matches = matcher(filter);
  return sorted(
    models.filter((model) => kept.has(model.slug) || matches(model)),
    order,
  );
}

const sameRows = (a: Model[], b: Model[]) => a.length === b.length && a.every((model, i) => model.slug === b[i]?.slug);

/** The same rows in the same order, as the models are now. */
function renewed(shown: Model[], models: Model[]): Model[] {
  const bySlug = new Map(models.map((model) => [model.slug, model]));
  return shown.flatMap((model) => bySlug.get(model.slug) ?? []);
}

/**
 * The models that the filter shows. The order is kept while people edit: a row that is changed neither moves nor vanishes
 * until the filter, the order or `refresh` changes. As long as nothing changes, the list is the same object.
 */
export function useShownModels(models: Model[], filter: Filter, order: Order, refresh: unknown): Model[] {
  const kept = useRef<Kept | null>(null);
  const key = JSON.stringify([filter, order, refresh]);
  return useMemo(() => {
    const before = kept.current;
    let shown: Model[];
    if (!before || before.key !== key) shown = arrange(models, filter, order, new Set());
    else if (before.models === models) shown = before.shown;
    else if (sameRows(before.models, models)) shown = renewed(before.shown, models);
    else shown = arrange(models, filter, order, new Set(before.shown.map((model) => model.slug)));
    kept.current = { key, models, shown };
    return shown;
    // `key` covers the filter, the order and `refresh`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [models, key]);
}
