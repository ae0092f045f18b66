// Syncs that this page has asked for. They go on while the person looks at other pages.
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

import { part, request } from '../../api/client';
import { listKey, readList } from '../../api/lists';
import { followOperation, pause } from '../../api/operations';
import type { Connection, SyncRun } from '../../api/records';
import { makeStore, useStore } from '../../store';

export interface SyncState {
  phase: 'running' | 'done' | 'failed' | 'late';
  progress?: Record<string, unknown> | undefined;
  run?: SyncRun | undefined;
  error?: unknown;
}

const states = makeStore<Record<string, SyncState>>({});
const keyOf = (org: string, connectionId: string) => `${org}/${connectionId}`;

function update(key: string, state: SyncState) {
  states.set({ ...states.get(), [key]: state });
}

/** registry-sync looks for requests every few seconds; after that long it does not run, or it is busy. */
const waitMs = 90_000;

/** Without operations: the run that ends after the request is the one. */
async function awaitRun(org: string, connectionId: string, known: ReadonlySet<string>, signal: AbortSignal) {
  const end = Date.now() + waitMs;
  while (Date.now() < end) {
    await pause(1500, signal);
    const run = (await readList('sync-runs', org, 50)).find(
      (row) => row.connectionId === connectionId && !known.has(row.id),
    );
    if (run) return run;
  }
  return undefined;
}

export async function syncNow(queryClient: QueryClient, org: string, connection: Pick<Connection, 'id'>) {
  const key = keyOf(org, connection.id);
  if (states.get()[key]?.phase === 'running') return;
  update(key, { phase: 'running' });
  const { signal } = new AbortController();
  try {
    const known = new Set((await readList('sync-runs', org, 50)).map((run) => run.id));
    const { id } = await request<{ id: string }>(
      'POST',
      `/v1/orgs/${part(org)}/connections/${part(connection.id)}:sync`,
      { json: {} },
    );
    const operation = await followOperation(
      org,
      id,
      ({ progress }) => update(key, { phase: 'running', progress }),
      signal,
    );
    const run = operation
      ? (await readList('sync-runs', org, 50)).find((row) => row.connectionId === connection.id && !known.has(row.id))
      : await awaitRun(org, connection.id, known, signal);
    const failed = operation ? operation.state === 'failed' : run?.status === 'failed';
    update(key, { phase: !operation && !run ? 'late' : failed ? 'failed' : 'done', run });
  } catch (error) {
    update(key, { phase: 'failed', error });
  } finally {
    for (const name of ['connections', 'sync-runs', 'held-changes'] as const)
      void queryClient.invalidateQueries({ queryKey: listKey(name, org) });
    void queryClient.invalidateQueries({ queryKey: ['models', org] });
  }
}

export function useSyncNow(org: string) {
  const queryClient = useQueryClient();
  const all = useStore(states);
  const start = useCallback(
    (connection: Pick<Connection, 'id'>) => syncNow(queryClient, org, connection),
    [queryClient, org],
  );
  return { start, stateOf: (connectionId: string): SyncState | undefined => all[keyOf(org, connectionId)] };
}
