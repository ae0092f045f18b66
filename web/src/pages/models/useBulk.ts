// Runs a change of many models and keeps the list in step: rows change in their places, with progress, an undo, and a
// list of what failed.
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { listKey } from '../../api/lists';
import type { Model, ModelPatch } from '../../api/types';
import { notify, whyOf } from '../../components/Notices';
import { texts } from '../../texts';
import { type Change, type Failed, runBulk, undoPatch } from './bulk';
import { grantModels, type Made, removeGrants, type Who } from './grants';
import { modelsKey, patchModels } from './useModels';

export interface Progress {
  done: number;
  total: number;
}

const t = texts.models.bulk;

/** The row as it will be, until the server's own answer is read. */
function foreseen(model: Model, patch: ModelPatch, version: number): Model {
  const next = { ...model, version, ...(patch as Partial<Model>) };
  if (patch.enabled === null) next.enabled = model.enabled;
  if (patch.enabled === false && model.status === 'active') next.status = 'disabled';
  if (patch.enabled === true && model.status === 'disabled') next.status = 'active';
  next.tags ??= model.tags;
  return next;
}

export function useBulk(org: string) {
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const [failed, setFailed] = useState<Failed[]>([]);
  const stopped = useRef(false);

  const run = async (changes: Change[], undo: Change[] | null) => {
    stopped.current = false;
    setProgress({ done: 0, total: changes.length });
    try {
      const result = await runBulk(
        org,
        changes,
        (done) => setProgress({ done, total: changes.length }),
        () => stopped.current,
      );
      const versions = new Map(result.done.map(({ change, version }) => [change.slug, { change, version }]));
      patchModels(queryClient, org, (model) => {
        const changed = versions.get(model.slug);
        return changed ? foreseen(model, changed.change.patch, changed.version) : model;
      });
      setFailed(result.failed);
      const back = (undo ?? []).flatMap((change) => {
        const changed = versions.get(change.slug);
        return changed ? [{ ...change, version: changed.version }] : [];
      });
      const count = result.done.length;
      const ended = result.error === undefined ? '' : t.interrupted(count, changes.length, whyOf(result.error));
      notify(ended || (stopped.current ? t.stopped(count) : undo ? t.done(count) : t.undone(count)), {
        severity: ended ? 'error' : result.failed.length > 0 || stopped.current ? 'info' : 'success',
        ...(back.length > 0
          ? { lasting: true, action: { label: texts.common.undo, run: () => void run(back, null) } }
          : {}),
      });
    } finally {
      setProgress(null);
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
      void queryClient.invalidateQueries({ queryKey: ['model', org] });
    }
  };

  /** Changes each model by the patch made for it; null leaves a model as it is. */
  const change = (models: Model[], patchFor: (model: Model) => ModelPatch | null) => {
    const changes: Change[] = [];
    const undo: Change[] = [];
    for (const model of models) {
      const patch = patchFor(model);
      if (!patch) continue;
      changes.push({ slug: model.slug, patch, version: model.version });
      undo.push({ slug: model.slug, patch: undoPatch(model, patch, org) });
    }
    if (changes.length === 0) notify(t.nothing, { severity: 'info' });
    else void run(changes, undo);
  };

  /** Runs `work` with progress and a stop, and reads the rules again after it. */
  const withRules = async (total: number, work: (onProgress: (done: number) => void) => Promise<void>) => {
    stopped.current = false;
    setProgress({ done: 0, total });
    try {
      await work((done) => setProgress({ done, total }));
    } finally {
      setProgress(null);
      void queryClient.invalidateQueries({ queryKey: listKey('grants', org) });
    }
  };

  const takeBack = (made: Made[]) =>
    withRules(made.length, async (onProgress) => {
      const result = await removeGrants(org, made, onProgress, () => stopped.current);
      setFailed(result.failed);
      const ended = result.error === undefined ? '' : t.interrupted(result.removed, made.length, whyOf(result.error));
      notify(ended || (stopped.current ? t.stopped(result.removed) : t.undone(result.removed)), {
        severity: ended ? 'error' : result.failed.length > 0 || stopped.current ? 'info' : 'success',
      });
    });

  /** Lets `who` use the models. */
  const grant = (models: Model[], who: Who) =>
    withRules(models.length, async (onProgress) => {
      const slugs = models.map((model) => model.slug);
      const result = await grantModels(org, slugs, who, onProgress, () => stopped.current);
      setFailed(result.failed);
      const count = result.made.length;
      const ended = result.error === undefined ? '' : t.grantingInterrupted(count, models.length, whyOf(result.error));
      notify(ended || (stopped.current ? t.grantingStopped(count) : t.grantingDone(count, result.already)), {
        severity: ended ? 'error' : result.failed.length > 0 || stopped.current ? 'info' : 'success',
        ...(count > 0
          ? { lasting: true, action: { label: texts.common.undo, run: () => void takeBack(result.made) } }
          : {}),
      });
    });

  return {
    progress,
    failed,
    forgetFailed: () => setFailed([]),
    stop: () => {
      stopped.current = true;
    },
    change,
    grant: (models: Model[], who: Who) => void grant(models, who),
  };
}
