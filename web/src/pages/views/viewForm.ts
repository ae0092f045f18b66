// A view as its form holds it.
import type { View, ViewFilter } from '../../api/records';
import type { Kind, Status } from '../../api/types';
import { capabilityName } from '../../components/chips';
import { formatNumber } from '../../format';
import { texts } from '../../texts';

const t = texts.views;

export interface ViewForm {
  name: string;
  kind: Kind | '';
  provider: string;
  status: Status | '';
  scope: 'platform' | 'organization' | '';
  capabilities: string[];
  tags: string;
  q: string;
  hidden: boolean;
  price: '' | 'free' | 'paid';
  contextMin: string;
  pins: string[];
}

export function formOf(view: View | null): ViewForm {
  const filter = view?.filter ?? {};
  return {
    name: view?.name ?? '',
    kind: filter.kind ?? '',
    provider: filter.provider ?? '',
    status: filter.status ?? '',
    scope: filter.scope ?? '',
    capabilities: filter.capabilities ?? [],
    tags: (filter.tags ?? []).join(', '),
    q: filter.q ?? '',
    hidden: filter.hidden ?? false,
    price: filter.free === undefined || filter.free === null ? '' : filter.free ? 'free' : 'paid',
    contextMin: filter.contextMin ? String(filter.contextMin) : '',
    pins: view?.pins.map((pin) => pin.model) ?? [],
  };
}

/** Only what narrows the list. */
export function filterOf(form: ViewForm): ViewFilter {
  const tags = form.tags
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);
  return {
    ...(form.kind ? { kind: form.kind } : {}),
    ...(form.provider ? { provider: form.provider } : {}),
    ...(form.status ? { status: form.status } : {}),
    ...(form.scope ? { scope: form.scope } : {}),
    ...(form.capabilities.length ? { capabilities: form.capabilities } : {}),
    ...(tags.length ? { tags } : {}),
    ...(form.q.trim() ? { q: form.q.trim() } : {}),
    ...(form.hidden ? { hidden: true } : {}),
    ...(form.price ? { free: form.price === 'free' } : {}),
    ...(form.contextMin ? { contextMin: Number(form.contextMin) } : {}),
  };
}

/** "Generation, Tools, ≥ 8,192 tokens" */
export function filterText(filter: ViewFilter): string {
  const words = [
    filter.kind && texts.models.kind[filter.kind],
    filter.provider,
    filter.status && texts.models.status[filter.status],
    filter.scope && texts.models.scope[filter.scope],
    ...(filter.capabilities ?? []).map(capabilityName),
    ...(filter.tags ?? []).map((tag) => `#${tag}`),
    filter.q && `“${filter.q}”`,
    filter.hidden && t.hiddenShort,
    filter.free === true && t.freeShort,
    filter.free === false && t.paidShort,
    filter.contextMin && t.contextShort(formatNumber(filter.contextMin)),
  ].filter(Boolean);
  return words.join(', ') || t.noFilter;
}

/** The models page with the same filter, as far as it has the fields. */
export function modelsQuery(filter: ViewFilter): string {
  const params = new URLSearchParams();
  if (filter.kind) params.set('kind', filter.kind);
  if (filter.provider) params.set('provider', filter.provider);
  if (filter.status) params.set('status', filter.status);
  if (filter.q) params.set('q', filter.q);
  return params.toString();
}
