// Prices of a model as people edit them. Amounts stay decimal text: a float would change them.
import { rawRequest, part } from '../../../api/client';
import { makeStore, type Store } from '../../../store';

export interface Price {
  dimension: string;
  serviceTier: string;
  minContextTokens: number;
  /** US dollars per million units, such as "0.15". */
  amount: string;
  source?: string;
}

interface PriceList {
  prices: Price[];
  version?: number;
}

const path = (org: string, slug: string) => `/v1/orgs/${part(org)}/models/${part(slug)}/prices`;

type RawPrice = Partial<Price> & { tier?: string };

/** Tolerates a server that leaves out what is usual. */
export function pricesFrom(given: unknown): PriceList {
  const object = (given ?? {}) as { prices?: RawPrice[]; data?: RawPrice[]; version?: number };
  const rows = object.prices ?? object.data ?? [];
  return {
    prices: rows.map((row) => ({
      dimension: row.dimension ?? '',
      serviceTier: row.serviceTier ?? row.tier ?? 'standard',
      minContextTokens: row.minContextTokens ?? 0,
      amount: String(row.amount ?? ''),
      ...(row.source ? { source: row.source } : {}),
    })),
    ...(object.version === undefined ? {} : { version: object.version }),
  };
}

export async function readPrices(org: string, slug: string): Promise<PriceList> {
  return pricesFrom(await (await rawRequest('GET', path(org, slug))).json());
}

export async function writePrices(org: string, slug: string, prices: Price[]): Promise<void> {
  const json = {
    prices: prices.map(({ dimension, serviceTier, minContextTokens, amount }) => ({
      dimension,
      serviceTier,
      minContextTokens,
      amount: amount.trim(),
    })),
  };
  await rawRequest('PUT', path(org, slug), { json });
}

/** Six decimals of a dollar per million units are what the registry keeps. */
export const isAmount = (text: string) => /^\d{1,12}(\.\d{1,6})?$/.test(text.trim());

const drafts = new Map<string, Store<Price[] | null>>();

/** Prices that are edited and not saved. They stay when the drawer closes. */
export function priceDraftOf(org: string, slug: string): Store<Price[] | null> {
  const key = `${org}\n${slug}`;
  let store = drafts.get(key);
  if (!store) {
    store = makeStore<Price[] | null>(null);
    drafts.set(key, store);
  }
  return store;
}
