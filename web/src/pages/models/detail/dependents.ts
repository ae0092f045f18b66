// What uses a model: it would fail, or answer with another model, without it.
import { useQuery } from '@tanstack/react-query';

import { body, client } from '../../../api/client';

export const dependentsKey = (org: string, slug: string) => ['dependents', org, slug] as const;

export function useDependents(org: string, slug: string) {
  return useQuery({
    queryKey: dependentsKey(org, slug),
    staleTime: 0,
    queryFn: async () =>
      (
        await body(
          client.GET('/v1/orgs/{org}/models/{model}/dependents', {
            params: { path: { org, model: slug }, query: { page_size: 1000 } },
          }),
        )
      ).data,
  });
}
