// Changes of many models: in pieces, with progress, and with what undoes them.
import { body, client } from '../../api/client';
import type { Problem } from '../../api/problem';
import type { Model, ModelPatch } from '../../api/types';
import { platformOrg } from '../../session/permissions';

export interface Change {
  slug: string;
  patch: ModelPatch;
  version?: number;
}

export interface BulkResult {
  done: { change: Change; version: number }[];
  failed: { change: Change; problem: Problem }[];
}

/** Small enough that the progress moves and the server's limit of 500 is kept. */
export const pieceSize = 200;

export function pieces<T>(all: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < all.length; i += size) out.push(all.slice(i, i + size));
  return out;
}

/** Whether the rows of `org` itself hold this field of the model. */
export function isOwnValue(model: Model, field: string, org: string): boolean {
  const source = model.sources?.[field];
  if (model.scope === 'override') return source === 'organization';
  if (model.scope === 'platform') return org === platformOrg && source === 'override';
  return source !== undefined;
}

/** What sets the fields of `patch` back: the value that was there, or null where it was inherited. */
export function undoPatch(model: Model, patch: ModelPatch, org: string): ModelPatch {
  const undo: Record<string, unknown> = {};
  for (const field of Object.keys(patch) as (keyof ModelPatch & keyof Model)[]) {
    if (field === 'enabled') undo[field] = model.inherits ? null : model.enabled;
    else undo[field] = isOwnValue(model, field, org) ? model[field] : null;
  }
  return undo;
}

/** Sends the changes piece by piece. A piece that gets no answer fails as a whole, and ends the run. */
export async function runBulk(
  org: string,
  changes: readonly Change[],
  onProgress: (count: number) => void,
  stopped: () => boolean = () => false,
): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [] };
  let count = 0;
  for (const piece of pieces(changes, pieceSize)) {
    if (stopped()) break;
    const { results } = await body(
      client.POST('/v1/orgs/{org}/models:batch', {
        params: { path: { org } },
        body: {
          changes: piece.map(({ slug, patch, version }) => ({
            model: slug,
            patch,
            ...(version === undefined ? {} : { version }),
          })),
        },
      }),
    );
    results.forEach((outcome, i) => {
      const change = piece[i];
      if (!change) return;
      if (outcome.status < 300 && outcome.version !== undefined) result.done.push({ change, version: outcome.version });
      else result.failed.push({ change, problem: outcome.problem as unknown as Problem });
    });
    count += piece.length;
    onProgress(count);
  }
  return result;
}
