// @vitest-environment jsdom
import { renderHook } from '@testing-library/react';
import { expect, it } from 'vitest';

import { aModel } from '../../test/models';
import { noFilter, serverOrder } from './filters';
import { useShownModels } from './useShownModels';

const active = { ...noFilter, status: ['active' as const] };
const a = aModel({ slug: 'x/a' });
const b = aModel({ slug: 'x/b' });
const c = aModel({ slug: 'x/c' });

function shown(models: (typeof a)[], filter = active, order = serverOrder, refresh = 0) {
  return renderHook(
    (p: { models: (typeof a)[]; filter: typeof active; order: typeof serverOrder; refresh: number }) =>
      useShownModels(p.models, p.filter, p.order, p.refresh),
    {
      initialProps: { models, filter, order, refresh },
    },
  );
}
const slugs = (models: (typeof a)[]) => models.map((m) => m.slug);

it('keeps an edited row in its place although it no longer matches', () => {
  const hook = shown([a, b, c]);
  const disabled = aModel({ slug: 'x/b', status: 'disabled', enabled: false });
  hook.rerender({ models: [a, disabled, c], filter: active, order: serverOrder, refresh: 0 });
  expect(slugs(hook.result.current)).toEqual(['x/a', 'x/b', 'x/c']);
  expect(hook.result.current[1]?.status).toBe('disabled');
});

it('lets the row go with a refresh', () => {
  const hook = shown([a, b]);
  const disabled = aModel({ slug: 'x/b', status: 'disabled' });
  hook.rerender({ models: [a, disabled], filter: active, order: serverOrder, refresh: 1 });
  expect(slugs(hook.result.current)).toEqual(['x/a']);
});

it('does not move a row whose sorted value is edited', () => {
  const byName = { column: 'name', descending: false };
  const hook = shown([a, b], active, byName);
  hook.rerender({
    models: [aModel({ slug: 'x/a', displayName: 'Zebra' }), b],
    filter: active,
    order: byName,
    refresh: 0,
  });
  expect(slugs(hook.result.current)).toEqual(['x/a', 'x/b']);
});

it('shows rows that arrive later', () => {
  const hook = shown([a]);
  hook.rerender({
    models: [a, b, aModel({ slug: 'x/d', status: 'disabled' })],
    filter: active,
    order: serverOrder,
    refresh: 0,
  });
  expect(slugs(hook.result.current)).toEqual(['x/a', 'x/b']);
});
