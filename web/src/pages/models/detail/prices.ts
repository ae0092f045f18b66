// Prices of a model as people edit them. Amounts stay decimal text: a float would change them.
import { rawRequest, part } from '../../../api/client';
import { isStatus } from '../../../api/problem';
import { makeStore, type Store } from '../../../store';

export interface Price {
  dimension: string;
  serviceTier: string;
  minContextTokens: number;
  /** HH:MM in UTC; both are absent where the price holds all day. */
  utcFrom?: string;
  utcTo?: string;
  /** US dollars per million units, such as "0.15". */
  amount: string;
  source?: string;
}

export interface PriceList {
  /** What holds now, whatever its source: a person, a provider's list, a catalogue. */
  prices: Price[];
  /** Those that a person has set in this scope. Saving replaces these and no others. */
  own: Price[];
  version?: number;
}

const path = (org: string, slug: string) => `/v1/orgs/${part(org)}/models/${part(slug)}/prices`;

type RawPrice = Partial<Price> & { tier?: string };

const priceFrom = (row: RawPrice): Price => ({
  dimension: row.dimension ?? '',
  serviceTier: row.serviceTier ?? row.tier ?? 'standard',
  minContextTokens: row.minContextTokens ?? 0,
  ...(row.utcFrom && row.utcTo ? { utcFrom: row.utcFrom, utcTo: row.utcTo } : {}),
  amount: String(row.amount ?? ''),
  ...(row.source ? { source: row.source } : {}),
});

/** Tolerates a server that leaves out what is usual. */
export function pricesFrom(given: unknown): PriceList {
  const object = (given ?? {}) as { prices?: RawPrice[]; data?: RawPrice[]; own?: RawPrice[]; version?: number };
  const prices = (object.prices ?? object.data ?? []).map(priceFrom);
  return {
    prices,
    own: object.own?.map(priceFrom) ?? prices.filter((price) => price.source === 'override'),
    ...(object.version === undefined ? {} : { version: object.version }),
  };
}

/** What a price is for. Two prices of a model and source never share it. */
export const keyOfPrice = ({ dimension, serviceTier, minContextTokens, utcFrom = '', utcTo = '' }: Price) =>
  `${dimension} ${serviceTier} ${minContextTokens} ${utcFrom} ${utcTo}`;

/** A draft with those shown prices that it lacks. */
export function withShown(draft: Price[], shown: Price[]): Price[] {
  const written = draft.filter((price) => price.amount.trim() !== '');
  const keys = new Set(written.map(keyOfPrice));
  return [...written, ...shown.filter((price) => !keys.has(keyOfPrice(price)))];
}

export async function readPrices(org: string, slug: string): Promise<PriceList> {
  return pricesFrom(await (await rawRequest('GET', path(org, slug))).json());
}

/** `version`: of the model that the prices were read of; 412 where it has another one. */
export async function writePrices(
  org: string,
  slug: string,
  prices: readonly Price[],
  version: number | undefined,
): Promise<void> {
  const json = {
    prices: prices.map(({ dimension, serviceTier, minContextTokens, utcFrom, utcTo, amount }) => ({
      dimension,
      serviceTier,
      minContextTokens,
      ...(utcFrom && utcTo ? { utcFrom, utcTo } : {}),
      amount: amount.trim(),
    })),
  };
  await rawRequest('PUT', path(org, slug), { json, ...(version === undefined ? {} : { version }) });
}

/** Six decimals of a dollar per million units are what the registry keeps. */
export const isAmount = (text: string) => /^\d{1,12}(\.\d{1,6})?$/.test(text.trim());

export interface PriceDraft {
  prices: Price[];
  /** A person's prices as the edit found them, and the version of the model then. */
  base: Price[];
  version?: number;
}

/**
 * Saves a draft. Another person's prices are not replaced unseen: they are returned, and nothing is saved. A change of anything
 * else of the model is no conflict.
 */
export async function saveDraft(org: string, slug: string, draft: PriceDraft): Promise<PriceList | null> {
  try {
    await writePrices(org, slug, draft.prices, draft.version);
  } catch (error) {
    if (!isStatus(error, 412)) throw error;
    const now = await readPrices(org, slug);
    if (JSON.stringify(now.own) !== JSON.stringify(draft.base)) return now;
    await writePrices(org, slug, draft.prices, now.version);
  }
  return null;
}

const drafts = new Map<string, Store<PriceDraft | null>>();

/** Prices that are edited and not saved. They stay when the drawer closes. */
export function priceDraftOf(org: string, slug: string): Store<PriceDraft | null> {
  const key = `${org}\n${slug}`;
  let store = drafts.get(key);
  if (!store) {
    store = makeStore<PriceDraft | null>(null);
    drafts.set(key, store);
  }
  return store;
}
