// What uses a model: it would fail, or answer with another model, without it.
import { useQuery } from '@tanstack/react-query';

import { body, client } from '../../../api/client';
import type { components } from '../../../api/schema';
import { texts } from '../../../texts';

export type Dependent = components['schemas']['Dependent'];

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

/** What people call it. The label of an alias is its description, and that of a default is whose it is. */
export function nameOfDependent({ refType, refId, label }: Dependent): string {
  const id = refId ?? '';
  if (refType === 'alias') return label ? `${id} · ${label}` : id;
  if (refType !== 'default') return label || id;
  const [kind = '', purpose] = id.split('/');
  const owner = label === 'platform' ? texts.models.scope.platform : '';
  return [texts.models.kind[kind as 'generation'] ?? kind, purpose, owner].filter(Boolean).join(' · ');
}
