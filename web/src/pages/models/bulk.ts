// Changes of many models: in pieces, with progress, and with what undoes them.
import { body, client } from '../../api/client';
import { inLanes, patiently } from '../../api/lanes';
import type { Problem } from '../../api/problem';
import type { Model, ModelPatch } from '../../api/types';
import { platformOrg } from '../../session/permissions';

export interface Change {
  slug: string;
  patch: ModelPatch;
  version?: number;
}

/** What could not be done for a model, and why. */
export interface Failed {
  change: Pick<Change, 'slug'>;
  problem: Pick<Problem, 'detail' | 'hint'>;
}

export interface BulkResult {
  done: { change: Change; version: number }[];
  failed: Failed[];
  /** Why the run ended before its end. What was done until then is in `done`. */
  error?: unknown;
}

/** The server's limit is 500. */
const pieceMax = 200;
const pieceMin = 10;
export const firstPiece = 25;

/** About a second's work, so that the progress moves and a slow server answers in time. */
export function nextPiece(size: number, tookMs: number): number {
  if (tookMs < 500) return Math.min(pieceMax, size * 2);
  return tookMs > 2000 ? Math.max(pieceMin, Math.floor(size / 2)) : size;
}

/** Whether the rows of `org` itself hold this field of the model. */
export function isOwnValue(model: Model, field: string, org: string): boolean {
  const source = model.sources?.[field];
  if (model.scope === 'override') return source === 'organization';
  if (model.scope === 'platform') return org === platformOrg && source === 'override';
  return source === 'override';
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

/**
 * Sends the changes in pieces, some at a time: the server makes the changes of a piece one after the other. A piece that gets no
 * answer ends the run; those that are on their way are awaited.
 */
export async function runBulk(
  org: string,
  changes: readonly Change[],
  onProgress: (count: number) => void,
  stopped: () => boolean = () => false,
  now: () => number = () => performance.now(),
): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [] };
  let size = firstPiece;
  let answered = 0;
  function* pieces() {
    for (let begin = 0; begin < changes.length;) {
      const piece = changes.slice(begin, begin + size);
      begin += piece.length;
      yield piece;
    }
  }
  const send = async (piece: readonly Change[]) => {
    const begin = now();
    const { results } = await patiently(() => sendPiece(org, piece));
    results.forEach((outcome, i) => {
      const change = piece[i];
      if (!change) return;
      if (outcome.status < 300 && outcome.version !== undefined) result.done.push({ change, version: outcome.version });
      else result.failed.push({ change, problem: outcome.problem as unknown as Problem });
    });
    size = nextPiece(piece.length, now() - begin);
    answered += piece.length;
    onProgress(answered);
  };
  try {
    await inLanes(pieces(), send, stopped);
  } catch (error) {
    result.error = error;
  }
  return result;
}

const sendPiece = (org: string, piece: readonly Change[]) =>
  body(
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
