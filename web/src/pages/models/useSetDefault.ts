import { useMutation, useQueryClient } from '@tanstack/react-query';

import { body, client, ifMatch } from '../../api/client';
import { listKey, readList } from '../../api/lists';
import { type Kind, type Model, nameOf } from '../../api/types';
import { notify, notifyError, whyOf } from '../../components/Notices';
import { texts } from '../../texts';
import { modelsKey, patchModels } from './useModels';

const t = texts.models.bulk;

interface Moved {
  kind: Kind;
  /** Of the default as it was set here, so that the undo takes back no later change of another person. */
  version: number;
  /** What it was before; null where the organisation had none of its own. */
  former: string | null;
}

/** Whether each model is the only one of its kind, so that all can be defaults. */
export const areOneOfEachKind = (models: readonly Model[]) =>
  models.length > 0 && new Set(models.map((model) => model.kind)).size === models.length;

/** Makes models the defaults for their kinds, with an undo. Those before lose their stars at once. */
export function useSetDefault(org: string) {
  const queryClient = useQueryClient();
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
    void queryClient.invalidateQueries({ queryKey: ['model', org] });
    void queryClient.invalidateQueries({ queryKey: listKey('defaults', org) });
  };
  const put = async (kind: Kind, model: string, headers: Record<string, string> = {}) => {
    const { version } = await body(
      client.PUT('/v1/orgs/{org}/defaults', { params: { path: { org } }, body: { kind, model }, headers }),
    );
    patchModels(queryClient, org, (row) => (row.kind === kind ? { ...row, isDefault: row.slug === model } : row));
    return version;
  };
  const undoing = useMutation({
    mutationFn: async (moved: readonly Moved[]) => {
      for (const { kind, version, former } of moved) {
        const headers = { 'If-Match': ifMatch(version) };
        if (former !== null) await put(kind, former, headers);
        else
          await body(client.DELETE('/v1/orgs/{org}/defaults', { params: { path: { org }, query: { kind } }, headers }));
      }
      notify(t.defaultsUndone(moved.length));
    },
    onError: notifyError,
    onSettled: refresh,
  });
  return useMutation({
    mutationFn: async (models: readonly Model[]) => {
      const moved: Moved[] = [];
      let error: unknown;
      try {
        const before = await readList('defaults', org);
        for (const { kind, slug } of models) {
          const former = before.find((row) => row.kind === kind && !row.provider && !row.purpose)?.model ?? null;
          moved.push({ kind, version: await put(kind, slug), former });
        }
      } catch (failure) {
        error = failure;
      }
      const [first] = models;
      const done =
        first && models.length === 1
          ? t.defaultSet(nameOf(first), texts.models.kind[first.kind] ?? first.kind)
          : t.defaultsSet(moved.length);
      notify(error === undefined ? done : whyOf(error), {
        severity: error === undefined ? 'success' : 'error',
        // What was set before a failure can be taken back too.
        ...(moved.length > 0
          ? { lasting: true, action: { label: texts.common.undo, run: () => undoing.mutate(moved) } }
          : {}),
      });
    },
    onSettled: refresh,
  });
}
