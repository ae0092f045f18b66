// How a picker orders and cuts its models. Pure.
import type { Usable } from './usableModels';

export interface Option {
  model: Usable;
  group: string;
}

/** More are not rendered: users do not read them, and the browser would slow down. */
export const shownMax = 100;

/** Favourites first, then each provider; the default leads its group. */
export function optionsOf(models: readonly Usable[], favourites: readonly string[], favouritesLabel: string): Option[] {
  const rank = (a: Usable, b: Usable) =>
    Number(b.isDefault) - Number(a.isDefault) || a.name.localeCompare(b.name) || a.slug.localeCompare(b.slug);
  const liked = models.filter((model) => favourites.includes(model.slug)).sort(rank);
  const others = models
    .filter((model) => !favourites.includes(model.slug))
    .sort((a, b) => a.provider.localeCompare(b.provider) || rank(a, b));
  return [
    ...liked.map((model) => ({ model, group: favouritesLabel })),
    ...others.map((model) => ({ model, group: model.provider })),
  ];
}

/** Options of which every word of the search occurs in the name, the provider or the slug. */
export function matching(options: readonly Option[], search: string): Option[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return options.filter(({ model }) => {
    const text = `${model.name} ${model.provider} ${model.slug}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
