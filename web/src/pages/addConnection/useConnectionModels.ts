import { useQuery } from '@tanstack/react-query';

import { body, client } from '../../api/client';
import type { Connection } from '../../api/records';
import type { Model } from '../../api/types';

const fields =
  'id,slug,provider,modelName,displayName,kind,status,enabled,version,isDefault,deployments,contextWindow,tags,scope';

export const connectionModelsKey = (org: string, id: string) => ['models', org, 'of', id] as const;

/** The models that a connection serves. */
export function useConnectionModels(org: string, connection: Pick<Connection, 'id' | 'provider'>) {
  return useQuery({
    queryKey: connectionModelsKey(org, connection.id),
    queryFn: async () => {
      const models: Model[] = [];
      let next = '';
      do {
        const page = await body(
          client.GET('/v1/orgs/{org}/models', {
            params: {
              path: { org },
              query: { fields, provider: connection.provider, page_size: 1000, ...(next ? { page_token: next } : {}) },
            },
          }),
        );
        models.push(...(page.data as unknown as Model[]));
        next = page.next_page_token;
      } while (next);
      return models.filter((model) => model.deployments?.some((row) => row.connectionId === connection.id));
    },
  });
}
