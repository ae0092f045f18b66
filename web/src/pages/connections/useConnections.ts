import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { body, client, ifMatch, part, request } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { AuditEntry, Connection } from '../../api/records';
import type { components } from '../../api/schema';
import { notify, notifyError } from '../../components/Notices';
import { platformOrg } from '../../session/permissions';
import { useMay } from '../../session/session';
import { texts } from '../../texts';

const t = texts.connections;
export type ConnectionPatch = components['schemas']['ConnectionPatch'];

export interface LastTest {
  at: string;
  outcome: string;
}

export const testsKey = (org: string) => ['connection-tests', org] as const;

/** The last test of each connection by its id, from the audit trail; empty for who may not read that. */
export function useLastTests(org: string) {
  const mayRead = useMay('org:audit:read');
  const tests = useQuery({
    queryKey: testsKey(org),
    enabled: mayRead,
    queryFn: async () => {
      const page = await request<{ data: AuditEntry[] }>(
        'GET',
        `/v1/orgs/${part(org)}/audit?action=connection.tested&page_size=200`,
      );
      const last = new Map<string, LastTest>();
      for (const entry of page.data) {
        const outcome = (entry.after as { outcome?: string } | null)?.outcome ?? '';
        if (!last.has(entry.targetId)) last.set(entry.targetId, { at: entry.at, outcome });
      }
      return last;
    },
  });
  return { mayRead, lastTest: (id: string) => tests.data?.get(id) };
}

/** A connection of the page's own scope; the platform's are only looked at from an organisation. */
export const isOwn = (connection: Pick<Connection, 'scope'>, org: string) =>
  org === platformOrg ? connection.scope === 'platform' : connection.scope === 'organization';

export function useConnections(org: string) {
  return useList('connections', org, { refetchInterval: 30_000 });
}

export async function changeConnection(org: string, connection: Connection, patch: ConnectionPatch) {
  return (await body(
    client.PATCH('/v1/orgs/{org}/connections/{connection}', {
      params: { path: { org, connection: connection.id }, header: { 'If-Match': ifMatch(connection.version) } },
      body: patch,
      headers: { 'Content-Type': 'application/merge-patch+json' },
    }),
  )) as unknown as Connection;
}

export const readConnection = async (org: string, id: string) =>
  (await body(
    client.GET('/v1/orgs/{org}/connections/{connection}', { params: { path: { org, connection: id } } }),
  )) as unknown as Connection;

export function useChangeConnection(org: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ connection, patch }: { connection: Connection; patch: ConnectionPatch }) =>
      changeConnection(org, connection, patch),
    onSuccess: (changed) => {
      queryClient.setQueryData<Connection[]>(listKey('connections', org), (rows) =>
        rows?.map((row) => (row.id === changed.id ? changed : row)),
      );
    },
    onError: () => void queryClient.invalidateQueries({ queryKey: listKey('connections', org) }),
  });
}

/** Pauses or resumes, with an undo. */
export function usePause(org: string) {
  const change = useChangeConnection(org);
  const set = (connection: Connection, enabled: boolean, withUndo: boolean) =>
    change.mutate(
      { connection, patch: { enabled } },
      {
        onSuccess: (changed) =>
          notify((enabled ? t.resumedDone : t.pausedDone)(changed.name), {
            ...(withUndo ? { action: { label: texts.common.undo, run: () => set(changed, !enabled, false) } } : {}),
          }),
        onError: notifyError,
      },
    );
  return { toggle: (connection: Connection) => set(connection, !connection.enabled, true), change };
}
