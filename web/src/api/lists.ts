// Lists that are short enough to read whole: everything of an organisation but its models and its audit trail.
import { useQuery } from '@tanstack/react-query';

import { body, client } from './client';
import { listPageSize } from './firstPage';
import type {
  Alias,
  Connection,
  Credential,
  Default,
  Grant,
  HeldChange,
  Member,
  ProviderTemplate,
  SyncRun,
  Token,
  View,
} from './records';

interface Rows {
  connections: Connection;
  credentials: Credential;
  'sync-runs': SyncRun;
  'held-changes': HeldChange;
  aliases: Alias;
  defaults: Default;
  views: View;
  grants: Grant;
  members: Member;
  tokens: Token;
}
export type ListName = keyof Rows;

// What is above belongs to no person's screen, and a list must end.
const pagesMax = 10;

export const listKey = (name: ListName, org: string) => [name, org] as const;

export async function readList<N extends ListName>(name: N, org: string, rowsMax = listPageSize * pagesMax) {
  const rows: Rows[N][] = [];
  let next = '';
  do {
    const page = await body(
      // All lists take the same parameters and answer with the same page.
      client.GET(`/v1/orgs/{org}/${name}` as '/v1/orgs/{org}/grants', {
        params: {
          path: { org },
          query: { page_size: Math.min(listPageSize, rowsMax), ...(next ? { page_token: next } : {}) },
        },
      }),
    );
    rows.push(...(page.data as unknown as Rows[N][]));
    next = page.next_page_token;
  } while (next && rows.length < rowsMax);
  return rows;
}

export function useList<N extends ListName>(
  name: N,
  org: string,
  options: { enabled?: boolean; rowsMax?: number; refetchInterval?: number | false } = {},
) {
  const { rowsMax, ...rest } = options;
  return useQuery({ queryKey: listKey(name, org), queryFn: () => readList(name, org, rowsMax), ...rest });
}

export function useProviders() {
  return useQuery({
    queryKey: ['providers'],
    staleTime: 10 * 60_000,
    queryFn: async () =>
      (await body(client.GET('/v1/providers', { params: { query: { page_size: 1000 } } })))
        .data as unknown as ProviderTemplate[],
  });
}
