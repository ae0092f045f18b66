// Which models are shown, and in which order. Pure. The filter lives in the page's address, so that a link shows the same.
import { type Kind, type Model, nameOf, type Status } from '../../api/types';

export interface Filter {
  q: string;
  kind: Kind | '';
  status: Status[];
  provider: string[];
  /** A model has all of them. */
  capability: string[];
  scope: string[];
  /** A model has all of them. */
  tag: string[];
  hidden: '' | 'only' | 'without';
  /** Name of a saved view, which narrows the list before the rest does. */
  view: string;
}

export interface Order {
  column: string;
  descending: boolean;
}

export const noFilter: Filter = {
  q: '',
  kind: '',
  status: [],
  provider: [],
  capability: [],
  scope: [],
  tag: [],
  hidden: '',
  view: '',
};
export const serverOrder: Order = { column: '', descending: false };

const lists = ['status', 'provider', 'capability', 'scope', 'tag'] as const;

export function filterFrom(params: URLSearchParams): Filter {
  const hidden = params.get('hidden');
  return {
    q: params.get('q') ?? '',
    kind: (params.get('kind') ?? '') as Kind | '',
    status: params.getAll('status') as Status[],
    provider: params.getAll('provider'),
    capability: params.getAll('capability'),
    scope: params.getAll('scope'),
    tag: params.getAll('tag'),
    hidden: hidden === 'only' || hidden === 'without' ? hidden : '',
    view: params.get('view') ?? '',
  };
}

/** The parameters of an address with another filter; parameters of others stay. */
export function withFilter(params: URLSearchParams, filter: Filter): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of ['q', 'kind', 'hidden', 'view'] as const) {
    if (filter[name]) next.set(name, filter[name]);
    else next.delete(name);
  }
  for (const name of lists) {
    next.delete(name);
    for (const value of filter[name]) next.append(name, value);
  }
  return next;
}

export function orderFrom(params: URLSearchParams): Order {
  const sort = params.get('sort') ?? '';
  return sort.startsWith('-') ? { column: sort.slice(1), descending: true } : { column: sort, descending: false };
}

/** How many choices beside the tab and the search are made. */
export const choicesIn = (filter: Filter) =>
  lists.reduce((sum, name) => sum + filter[name].length, 0) + (filter.hidden ? 1 : 0);

const haystacks = new WeakMap<Model, string>();

/** What the search looks through. Made when a model arrives, so that the first search does not wait for 10,000 of them. */
export function haystack(model: Model): string {
  let text = haystacks.get(model);
  if (text === undefined) {
    text = [model.slug, model.provider, model.modelName, model.displayName, model.description, ...model.tags]
      .join('\n')
      .toLowerCase();
    haystacks.set(model, text);
  }
  return text;
}

/** Every word of the search occurs somewhere in the model's names, description or tags. */
export function matcher(filter: Filter): (model: Model) => boolean {
  const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
  return (model) =>
    (!filter.kind || model.kind === filter.kind) &&
    (filter.status.length === 0 || filter.status.includes(model.status)) &&
    (filter.provider.length === 0 || filter.provider.includes(model.provider)) &&
    (filter.scope.length === 0 || filter.scope.includes(model.scope)) &&
    filter.capability.every((name) => model.capabilities[name] === 'supported') &&
    filter.tag.every((tag) => model.tags.includes(tag)) &&
    (filter.hidden === '' || (filter.hidden === 'only') === Boolean(model.hidden)) &&
    words.every((word) => haystack(model).includes(word));
}

type SortKey = (model: Model) => string | number;

export const sortKeys: Record<string, SortKey> = {
  name: (m) => nameOf(m).toLowerCase(),
  provider: (m) => m.provider,
  kind: (m) => m.kind,
  status: (m) => m.status,
  scope: (m) => m.scope,
  context: (m) => m.contextWindow ?? -1,
  output: (m) => m.outputTokensMax ?? -1,
  // Those that are listed come after all times.
  seen: (m) => m.missingSince ?? '~',
  updated: (m) => m.updatedAt ?? '',
};

export function sorted(models: Model[], order: Order): Model[] {
  const key = sortKeys[order.column];
  if (!key) return models;
  const sign = order.descending ? -1 : 1;
  // Keys once a model, not once a comparison.
  return models
    .map((model) => ({ model, key: key(model) }))
    .sort((a, b) => sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || (a.model.slug < b.model.slug ? -1 : 1))
    .map((entry) => entry.model);
}

/** Kinds, providers and so on that occur, with how often. */
export function counts<T extends string>(models: Model[], valuesOf: (model: Model) => readonly T[]): [T, number][] {
  const found = new Map<T, number>();
  for (const model of models) for (const value of valuesOf(model)) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

export const supportedCapabilities = (model: Model) =>
  Object.keys(model.capabilities).filter((name) => model.capabilities[name] === 'supported');
