import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { body, client, ifMatch } from '../../api/client';
import type { OrganizationSettings } from '../../api/records';
import type { components } from '../../api/schema';

const settingsKey = (org: string) => ['organization', org] as const;

export const readSettings = async (org: string) =>
  (await body(client.GET('/v1/orgs/{org}', { params: { path: { org } } }))) as unknown as OrganizationSettings;

export function useSettings(org: string, enabled = true) {
  return useQuery({ queryKey: settingsKey(org), enabled, queryFn: () => readSettings(org) });
}

export function useChangeSettings(org: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ version, patch }: { version: number; patch: components['schemas']['OrganizationPatch'] }) =>
      (await body(
        client.PATCH('/v1/orgs/{org}', {
          params: { path: { org }, header: { 'If-Match': ifMatch(version) } },
          body: patch,
          headers: { 'Content-Type': 'application/merge-patch+json' },
        }),
      )) as unknown as OrganizationSettings,
    onSuccess: (changed) => {
      queryClient.setQueryData(settingsKey(org), changed);
      void queryClient.invalidateQueries({ queryKey: ['organizations'] });
    },
    onError: () => void queryClient.invalidateQueries({ queryKey: settingsKey(org) }),
  });
}
