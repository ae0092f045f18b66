// Requests about one model.
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { body, client, ifMatch } from '../../api/client';
import type { Model, ModelPatch } from '../../api/types';
import { modelsKey, patchModels } from './useModels';

export const modelKey = (org: string, model: string) => ['model', org, model] as const;

export const readModel = async (org: string, model: string) =>
  (await body(client.GET('/v1/orgs/{org}/models/{model}', { params: { path: { org, model } } }))) as unknown as Model;

export const changeModel = async (org: string, model: Pick<Model, 'slug' | 'version'>, patch: ModelPatch) =>
  (await body(
    client.PATCH('/v1/orgs/{org}/models/{model}', {
      params: { path: { org, model: model.slug }, header: { 'If-Match': ifMatch(model.version) } },
      body: patch,
      headers: { 'Content-Type': 'application/merge-patch+json' },
    }),
  )) as unknown as Model;

/** The id of a platform's model changes in an organisation with the first own value, so rows are compared by slug. */
export const isSame = (a: Pick<Model, 'slug'>, b: Pick<Model, 'slug'>) => a.slug === b.slug;

/** Changes a model; the list shows the reply in the model's place. */
export function useChangeModel(org: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ model, patch }: { model: Model; patch: ModelPatch }) => changeModel(org, model, patch),
    // The row shows the change at once, also where the server is slow.
    onMutate: ({ model, patch }) => {
      if (typeof patch.enabled === 'boolean')
        patchModels(queryClient, org, (row) =>
          isSame(row, model) ? { ...row, enabled: patch.enabled as boolean } : row,
        );
    },
    onSuccess: (changed) => {
      patchModels(queryClient, org, (row) => (isSame(row, changed) ? { ...row, ...changed } : row));
      queryClient.setQueryData(modelKey(org, changed.slug), changed);
    },
    onError: (_, { model }) => {
      patchModels(queryClient, org, (row) => (isSame(row, model) ? { ...row, enabled: model.enabled } : row));
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
    },
  });
}
