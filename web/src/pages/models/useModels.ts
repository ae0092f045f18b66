// All models that an organisation sees. The first page is small, so that rows appear at once; the rest follows in large
// pages. Filters run over what is here, which is faster than asking.
import { type InfiniteData, infiniteQueryOptions, type QueryClient, useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';

import { body, client } from '../../api/client';
import { modelsAsked, modelsPath } from '../../api/firstPage';
import type { Model } from '../../api/types';
import { haystack } from './filters';

interface Page {
  models: Model[];
  next: string;
  total: number;
}

export const modelsKey = (org: string) => ['models', org] as const;

export const modelsQuery = (org: string) =>
  infiniteQueryOptions({
    queryKey: modelsKey(org),
    initialPageParam: '',
    queryFn: async ({ pageParam }): Promise<Page> => {
      const page = await body(client.GET(modelsPath, { params: { path: { org }, query: modelsAsked(pageParam) } }));
      const models = page.data as unknown as Model[];
      models.forEach(haystack);
      return { models, next: page.next_page_token, total: page.total_size ?? models.length };
    },
    getNextPageParam: (page) => page.next || undefined,
  });

export function useModels(org: string) {
  const query = useInfiniteQuery(modelsQuery(org));
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  const models = useMemo(() => query.data?.pages.flatMap((page) => page.models) ?? [], [query.data]);
  return { query, models, total: query.data?.pages[0]?.total ?? 0 };
}

/** Changes models of the cached list in their places. */
export function patchModels(queryClient: QueryClient, org: string, change: (model: Model) => Model | null) {
  queryClient.setQueryData<InfiniteData<Page>>(
    modelsKey(org),
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({ ...page, models: page.models.flatMap((model) => change(model) ?? []) })),
      },
  );
}
