// Access to many models: granted in few requests, and taken back. The server publishes all rules of an organisation with
// each request, so there are as few as the progress allows, one after the other.
import { body, client } from '../../api/client';
import { inLanes, patiently } from '../../api/lanes';
import type { Grant } from '../../api/records';
import { texts } from '../../texts';
import type { Failed } from './bulk';

const t = texts.models.bulk;

/** The server's limit is 500. */
export const grantsMax = 200;

export interface Who {
  subjectKind: Grant['subjectKind'];
  /** Empty for the whole organisation. */
  subject: string;
}

export interface Made {
  slug: string;
  id: string;
  version: number;
}

interface Ended {
  failed: Failed[];
  /** Why the run ended before its end. */
  error?: unknown;
}

interface Granted extends Ended {
  made: Made[];
  /** How many models were granted before. */
  already: number;
}

async function inPieces<T>(
  items: readonly T[],
  send: (piece: readonly T[]) => Promise<void>,
  onProgress: (count: number) => void,
  stopped: () => boolean,
): Promise<unknown> {
  function* pieces() {
    for (let begin = 0; begin < items.length; begin += grantsMax) yield items.slice(begin, begin + grantsMax);
  }
  let answered = 0;
  const work = async (piece: readonly T[]) => {
    await patiently(() => send(piece));
    answered += piece.length;
    onProgress(answered);
  };
  try {
    await inLanes(pieces(), work, stopped, 1);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Only adds: a rule that denies one of the models to the same subject stays, and is reported. */
export async function grantModels(
  org: string,
  slugs: readonly string[],
  { subjectKind, subject }: Who,
  onProgress: (count: number) => void,
  stopped: () => boolean = () => false,
): Promise<Granted> {
  const result: Granted = { made: [], already: 0, failed: [] };
  const send = async (piece: readonly string[]) => {
    const grants = piece.map((object) => ({
      subjectKind,
      ...(subjectKind === 'org' ? {} : { subject }),
      objectKind: 'model' as const,
      object,
      effect: 'allow' as const,
      version: 0,
    }));
    const { results } = await body(
      client.POST('/v1/orgs/{org}/grants:batch', { params: { path: { org } }, body: { grants } }),
    );
    results.forEach(({ status, grant, problem }, i) => {
      const slug = piece[i] ?? '';
      const there = grant as unknown as Grant | undefined;
      if (status < 300 && there) result.made.push({ slug, id: there.id, version: there.version });
      else if (there?.effect === 'allow') result.already++;
      else if (there) result.failed.push({ change: { slug }, problem: { detail: t.denied, hint: t.deniedHint } });
      else result.failed.push({ change: { slug }, problem: problem as Failed['problem'] });
    });
  };
  const error = await inPieces(slugs, send, onProgress, stopped);
  return error === undefined ? result : { ...result, error };
}

/** Removes rules as they were made: one that another person has changed since stays, and is reported. */
export async function removeGrants(
  org: string,
  made: readonly Made[],
  onProgress: (count: number) => void,
  stopped: () => boolean = () => false,
): Promise<Ended & { removed: number }> {
  const result = { removed: 0, failed: [] as Failed[] };
  const send = async (piece: readonly Made[]) => {
    const { results } = await body(
      client.POST('/v1/orgs/{org}/grants:remove', {
        params: { path: { org } },
        body: { grants: piece.map(({ id, version }) => ({ id, version })) },
      }),
    );
    results.forEach(({ status, problem }, i) => {
      // One that is gone already is what was asked for.
      if (status < 300 || status === 404) result.removed++;
      else if (status === 412)
        result.failed.push({
          change: { slug: piece[i]?.slug ?? '' },
          problem: { detail: texts.conflict.title, hint: t.deniedHint },
        });
      else result.failed.push({ change: { slug: piece[i]?.slug ?? '' }, problem: problem as Failed['problem'] });
    });
  };
  const error = await inPieces(made, send, onProgress, stopped);
  return error === undefined ? result : { ...result, error };
}
