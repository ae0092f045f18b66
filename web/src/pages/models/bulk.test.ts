import { expect, it, vi } from 'vitest';

import { client } from '../../api/client';
import { NetworkError } from '../../api/problem';
import { aModel } from '../../test/models';
import { type Change, firstPiece, nextPiece, runBulk, undoPatch } from './bulk';

it('undoes a first own value by inheriting again', () => {
  const inherited = aModel({
    scope: 'platform',
    enabled: true,
    inherits: true,
    tags: ['a'],
    sources: { tags: 'override' },
  });
  expect(undoPatch(inherited, { enabled: false, tags: ['a', 'b'] }, 'acme')).toEqual({ enabled: null, tags: null });
});

it('undoes an own value by the value before', () => {
  const own = aModel({
    scope: 'override',
    enabled: false,
    inherits: false,
    tags: ['a'],
    sources: { tags: 'organization' },
  });
  expect(undoPatch(own, { enabled: true, tags: [] }, 'acme')).toEqual({ enabled: false, tags: ['a'] });
});

it('restores an override of the platform in the platform', () => {
  const platform = aModel({ scope: 'platform', inherits: false, tags: ['a'], sources: { tags: 'override' } });
  expect(undoPatch(platform, { tags: [] }, '_')).toEqual({ tags: ['a'] });
});

it('sends more at a time while the server is fast, and less while it is slow', () => {
  expect(nextPiece(25, 100)).toBe(50);
  expect(nextPiece(150, 100)).toBe(200);
  expect(nextPiece(50, 1000)).toBe(50);
  expect(nextPiece(50, 5000)).toBe(25);
  expect(nextPiece(10, 5000)).toBe(10);
});

const changes: Change[] = Array.from({ length: 2 * firstPiece + 1 }, (_, i) => ({
  slug: `x/${i}`,
  patch: { enabled: true },
}));
type Options = { body: { changes: { model: string }[] } };
const answer = (options: Options) => ({
  data: {
    results: options.body.changes.map(({ model }) =>
      model === 'x/3'
        ? { model, status: 412, problem: { detail: 'other version' } }
        : { model, status: 200, version: 9 },
    ),
  },
  response: new Response(null, { status: 200 }),
});

it('reports each refused change and goes on', async () => {
  const post = vi
    .spyOn(client, 'POST')
    .mockImplementation((async (_: string, options: Options) => answer(options)) as never);
  const seen: number[] = [];
  const result = await runBulk(
    'acme',
    changes,
    (count) => seen.push(count),
    undefined,
    () => 0,
  );
  expect(post).toHaveBeenCalledTimes(3);
  expect(seen.at(-1)).toBe(changes.length);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(result.failed.map((f) => f.change.slug)).toEqual(['x/3']);
  expect(result.done).toHaveLength(2 * firstPiece);
});

it('keeps what was done when a piece gets no answer', async () => {
  let calls = 0;
  vi.spyOn(client, 'POST').mockImplementation((async (_: string, options: Options) => {
    if (++calls > 1) throw new NetworkError(true);
    return answer(options);
  }) as never);
  const result = await runBulk('acme', changes, () => undefined);
  expect(result.done).toHaveLength(firstPiece - 1);
  expect(result.error).toBeInstanceOf(NetworkError);
});

it('sends the next piece while an earlier one is being answered', async () => {
  const waiting: (() => void)[] = [];
  vi.spyOn(client, 'POST').mockImplementation((async (_: string, options: Options) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return answer(options);
  }) as never);
  const running = runBulk('acme', changes, () => undefined);
  expect(waiting).toHaveLength(3);
  for (const finish of waiting) finish();
  expect((await running).done).toHaveLength(2 * firstPiece);
});
