import { expect, it, vi } from 'vitest';

import { client } from '../../api/client';
import { NetworkError } from '../../api/problem';
import { grantModels, grantsMax, removeGrants } from './grants';

const slugs = Array.from({ length: 2 * grantsMax + 1 }, (_, i) => `x/${i}`);
const who = { subjectKind: 'org', subject: '' } as const;
const ok = new Response(null, { status: 200 });
type Options = { body: { grants: { object: string; id: string }[] } };
const made = ({ body }: Options) => ({
  data: { results: body.grants.map(({ object }) => ({ object, status: 201, grant: { id: object, version: 1 } })) },
  response: ok,
});

it('grants one piece after the other, with progress', async () => {
  let running = 0;
  const post = vi.spyOn(client, 'POST').mockImplementation((async (_: string, options: Options) => {
    expect(++running).toBe(1);
    await Promise.resolve();
    running--;
    return made(options);
  }) as never);
  const seen: number[] = [];
  const result = await grantModels('acme', slugs, who, (count) => seen.push(count));
  expect(post).toHaveBeenCalledTimes(3);
  expect(seen).toEqual([grantsMax, 2 * grantsMax, slugs.length]);
  expect(result.made).toHaveLength(slugs.length);
  expect(result.made[0]).toEqual({ slug: 'x/0', id: 'x/0', version: 1 });
});

it('keeps what was granted when a piece gets no answer, or the reader stops', async () => {
  let calls = 0;
  vi.spyOn(client, 'POST').mockImplementation((async (_: string, options: Options) => {
    if (++calls > 1) throw new NetworkError(true);
    return made(options);
  }) as never);
  const interrupted = await grantModels('acme', slugs, who, () => undefined);
  expect(interrupted.made).toHaveLength(grantsMax);
  expect(interrupted.error).toBeInstanceOf(NetworkError);
  calls = 0;
  const stopped = await grantModels(
    'acme',
    slugs,
    who,
    () => undefined,
    () => calls > 0,
  );
  expect(stopped.made).toHaveLength(grantsMax);
  expect(stopped.error).toBeUndefined();
});

it('takes back what nobody has changed since', async () => {
  vi.spyOn(client, 'POST').mockImplementation((async () => ({
    data: {
      results: [
        { id: 'a', status: 204 },
        { id: 'b', status: 404, problem: { detail: 'gone' } },
        { id: 'c', status: 412, problem: { detail: 'The resource has version 9 now.' } },
      ],
    },
    response: ok,
  })) as never);
  const rows = ['a', 'b', 'c'].map((id) => ({ slug: `x/${id}`, id, version: 1 }));
  const result = await removeGrants('acme', rows, () => undefined);
  expect(result.removed).toBe(2);
  expect(result.failed.map(({ change, problem }) => [change.slug, problem.detail])).toEqual([
    ['x/c', 'Someone else has changed this'],
  ]);
});
