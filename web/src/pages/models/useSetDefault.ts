import { useMutation, useQueryClient } from '@tanstack/react-query';

import { body, client, precondition } from '../../api/client';
import { findDefault, readDefaults } from '../../api/defaults';
import { listKey } from '../../api/lists';
import { type Kind, type Model, nameOf } from '../../api/types';
import { notify, notifyError, whyOf } from '../../components/Notices';
import { texts } from '../../texts';
import { modelsKey, patchModels } from './useModels';

const t = texts.models.bulk;

/** A list of defaults that was read within it has the star where the reader sees it. */
const seenMs = 30_000;

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
  /** `version`: of the default that it replaces; undefined: there is none yet. */
  const put = async (kind: Kind, model: string, version: number | undefined) => {
    const set = await body(
      client.PUT('/v1/orgs/{org}/defaults', {
        params: { path: { org }, header: precondition(version) },
        body: { kind, model },
      }),
    );
    patchModels(queryClient, org, (row) => (row.kind === kind ? { ...row, isDefault: row.slug === model } : row));
    return set.version;
  };
  const undoing = useMutation({
    mutationFn: async (moved: readonly Moved[]) => {
      for (const { kind, version, former } of moved) {
        if (former !== null) await put(kind, former, version);
        else
          await body(
            client.DELETE('/v1/orgs/{org}/defaults', {
              params: { path: { org }, query: { kind }, header: precondition(version) },
            }),
          );
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
        const before = await readDefaults(queryClient, org, seenMs);
        for (const { kind, slug } of models) {
          const former = findDefault(before, { kind });
          moved.push({ kind, version: await put(kind, slug, former?.version), former: former?.model ?? null });
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
    // Also after a failure: another person may have moved the star.
    onSettled: refresh,
  });
}
