// The models that the person may use, with what a picker shows of them.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { body, client } from '../../api/client';
import { type Kind, type Model, nameOf } from '../../api/types';
import { useModels } from '../../pages/models/useModels';

export interface Usable {
  slug: string;
  name: string;
  provider: string;
  kind: Kind | '';
  contextWindow: number | null;
  isDefault: boolean;
  personal: boolean;
}

/** What the server lets the person use decides; the lists only describe. Hidden models are not offered. Pure. */
export function usableModels(ids: readonly string[], shared: readonly Model[], own: readonly Model[]): Usable[] {
  const known = new Map<string, Model>();
  for (const model of [...shared, ...own]) known.set(model.slug, model);
  return ids.flatMap((slug): Usable[] => {
    const model = known.get(slug);
    if (model?.hidden) return [];
    return [
      {
        slug,
        name: model ? nameOf(model) : slug.slice(slug.indexOf('/') + 1),
        provider: model?.provider ?? slug.split('/')[0] ?? '',
        kind: model?.kind ?? '',
        contextWindow: model?.contextWindow ?? null,
        isDefault: Boolean(model?.isDefault),
        personal: model?.scope === 'personal',
      },
    ];
  });
}

export function useUsableModels(org: string) {
  const ids = useQuery({
    queryKey: ['usable', org],
    queryFn: async () =>
      (await body(client.GET('/v1/models', { params: { query: { org } } }))).data.map((model) => model.id),
  });
  const own = useQuery({
    queryKey: ['ownModels', org],
    queryFn: async () =>
      (
        await body(
          client.GET('/v1/orgs/{org}/models', { params: { path: { org }, query: { owner: 'me', page_size: 1000 } } }),
        )
      ).data as unknown as Model[],
  });
  const { models, query } = useModels(org);
  const usable = useMemo(
    () =>
      usableModels(
        ids.data ?? [],
        models,
        (own.data ?? []).filter((model) => model.scope === 'personal'),
      ),
    [ids.data, models, own.data],
  );
  return { usable, isPending: ids.isPending || query.isPending, error: ids.error, retry: () => void ids.refetch() };
}
