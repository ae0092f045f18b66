// The organisations that the person may look at: the memberships, or all of them for an admin of the platform.
import { useQuery } from '@tanstack/react-query';

import { body, client } from '../api/client';
import { platformOrg } from '../session/permissions';
import { useSession } from '../session/session';
import { texts } from '../texts';

export interface OrgChoice {
  id: string;
  name: string;
}

export const organizationsKey = ['organizations'] as const;

export function useOrganizations() {
  const session = useSession();
  const all = useQuery({
    queryKey: organizationsKey,
    enabled: session.platformAdmin,
    queryFn: async () =>
      (await body(client.GET('/v1/orgs', { params: { query: { page_size: 1000 } } }))).data.map((org): OrgChoice => ({
        id: org.id,
        name: org.displayName || org.id,
      })),
  });
  const own = session.memberships.map((m): OrgChoice => ({ id: m.org, name: m.name || m.org }));
  const choices = session.platformAdmin ? [{ id: platformOrg, name: texts.shell.platform }, ...(all.data ?? own)] : own;
  return { choices, isPending: session.platformAdmin && all.isPending, error: all.error };
}
