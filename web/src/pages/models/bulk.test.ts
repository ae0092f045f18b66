import { expect, it, vi } from 'vitest';

import { client } from '../../api/client';
import { aModel } from '../../test/models';
import { type Change, pieces, pieceSize, runBulk, undoPatch } from './bulk';

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

it('cuts into pieces that hold everything once', () => {
  expect(pieces([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
});

it('reports each refused change and goes on', async () => {
  const post = vi.spyOn(client, 'POST').mockImplementation((async (
    _: string,
    options: { body: { changes: { model: string }[] } },
  ) => ({
    data: {
      results: options.body.changes.map(({ model }) =>
        model === 'x/3'
          ? { model, status: 412, problem: { detail: 'other version' } }
          : { model, status: 200, version: 9 },
      ),
    },
    response: new Response(null, { status: 200 }),
  })) as never);
  const changes: Change[] = Array.from({ length: pieceSize + 1 }, (_, i) => ({
    slug: `x/${i}`,
    patch: { enabled: true },
  }));
  const seen: number[] = [];
  const result = await runBulk('acme', changes, (count) => seen.push(count));
  expect(post).toHaveBeenCalledTimes(2);
  expect(seen).toEqual([pieceSize, pieceSize + 1]);
  expect(result.failed.map((f) => f.change.slug)).toEqual(['x/3']);
  expect(result.done).toHaveLength(pieceSize);
});
