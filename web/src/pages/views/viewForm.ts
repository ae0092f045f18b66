// A view as its form holds it.
import type { View, ViewFilter } from '../../api/records';
import type { Kind, Status } from '../../api/types';
import { capabilityName } from '../../components/chips';
import { formatNumber } from '../../format';
import { texts } from '../../texts';
import type { Filter } from '../models/filters';

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
  forAuto: boolean;
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
    hidden: filter.hidden ?? true,
    price: filter.free === undefined || filter.free === null ? '' : filter.free ? 'free' : 'paid',
    contextMin: filter.contextMin ? String(filter.contextMin) : '',
    pins: view?.pins.map((pin) => pin.model) ?? [],
    forAuto: view?.forAuto ?? false,
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
    ...(form.hidden ? {} : { hidden: false }),
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
    filter.hidden === false && t.withoutHiddenShort,
    filter.free === true && t.freeShort,
    filter.free === false && t.paidShort,
    filter.contextMin && t.contextShort(formatNumber(filter.contextMin)),
  ].filter(Boolean);
  return words.join(', ') || t.noFilter;
}

/** The form of a view that shows what the page of models shows now. A view has one kind, provider and status: the first. */
export function formOfFilter(filter: Filter): { form: ViewForm; exact: boolean } {
  const own = filter.scope.filter((scope) => scope !== 'platform');
  const scope =
    filter.scope.length === 0 || (own.length > 0 && filter.scope.includes('platform'))
      ? ''
      : own.length > 0
        ? 'organization'
        : 'platform';
  const form: ViewForm = {
    ...formOf(null),
    kind: filter.kind,
    provider: filter.provider[0] ?? '',
    status: filter.status[0] ?? '',
    scope,
    capabilities: filter.capability,
    tags: filter.tag.join(', '),
    q: filter.q,
    hidden: filter.hidden !== 'without',
  };
  const exact =
    filter.provider.length < 2 &&
    filter.status.length < 2 &&
    (filter.scope.length === 0 || scope === 'platform' || (own.includes('override') && own.includes('organization'))) &&
    filter.hidden !== 'only' &&
    filter.view === '';
  return { form, exact };
}
