import { useMutation, useQueryClient } from '@tanstack/react-query';

import { body, client } from '../../api/client';
import { type Model, nameOf } from '../../api/types';
import { notify, notifyError } from '../../components/Notices';
import { texts } from '../../texts';
import { modelsKey, patchModels } from './useModels';

/** Makes a model the default for its kind. The one before loses its star at once. */
export function useSetDefault(org: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (model: Model) =>
      body(
        client.PUT('/v1/orgs/{org}/defaults', {
          params: { path: { org } },
          body: { kind: model.kind, model: model.slug },
        }),
      ),
    onSuccess: (_, model) => {
      patchModels(queryClient, org, (row) =>
        row.kind === model.kind ? { ...row, isDefault: row.slug === model.slug } : row,
      );
      notify(texts.models.bulk.defaultSet(nameOf(model), texts.models.kind[model.kind] ?? model.kind));
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
      void queryClient.invalidateQueries({ queryKey: ['model', org] });
      void queryClient.invalidateQueries({ queryKey: ['defaults', org] });
    },
    onError: notifyError,
  });
}
