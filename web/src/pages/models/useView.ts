// The models of a saved view, as the server chooses them: its filter knows more than the page's, such as prices.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { body, client } from '../../api/client';
import type { Model } from '../../api/types';

const pageSize = 1000;

/** Not below the key of the models: a row that is changed stays in the list until the reader asks for the view again. */
export const viewKey = (org: string, view: string) => ['view', org, view] as const;

async function slugsOf(org: string, view: string): Promise<string[]> {
  const slugs: string[] = [];
  let next = '';
  do {
    const page = await body(
      client.GET('/v1/orgs/{org}/models', {
        params: {
          path: { org },
          query: { view, fields: 'slug', page_size: pageSize, ...(next ? { page_token: next } : {}) },
        },
      }),
    );
    slugs.push(...page.data.map((model) => (model as unknown as Model).slug));
    next = page.next_page_token;
  } while (next);
  return slugs;
}

/** Those of `models` that the view shows, in its order: pins first. Without a view, all of them. */
export function useView(org: string, view: string, models: Model[]) {
  const query = useQuery({
    queryKey: viewKey(org, view),
    queryFn: () => slugsOf(org, view),
    enabled: view !== '',
  });
  const slugs = query.data;
  const shown = useMemo(() => {
    if (view === '') return models;
    const bySlug = new Map(models.map((model) => [model.slug, model]));
    return (slugs ?? []).flatMap((slug) => bySlug.get(slug) ?? []);
  }, [view, slugs, models]);
  return { query, shown };
}
