import { describe, expect, it } from 'vitest';

import { aModel } from '../../test/models';
import { counts, filterFrom, matcher, noFilter, orderFrom, sorted, withFilter } from './filters';

describe('matcher', () => {
  it('finds each word in names, description and tags', () => {
    const model = aModel({ displayName: 'House Model', description: 'For contracts', tags: ['eu'] });
    const found = (q: string) => matcher({ ...noFilter, q })(model);
    expect(found('house CONTRACTS')).toBe(true);
    expect(found('eu ollama')).toBe(true);
    expect(found('house legal')).toBe(false);
  });

  it('takes an unknown capability for no support', () => {
    const wantsTools = matcher({ ...noFilter, capability: ['tools'] });
    expect(wantsTools(aModel({ capabilities: { tools: 'supported' } }))).toBe(true);
    expect(wantsTools(aModel({ capabilities: { tools: 'unknown' } }))).toBe(false);
    expect(wantsTools(aModel({ capabilities: {} }))).toBe(false);
  });

  it('distinguishes hidden models from others', () => {
    const hidden = aModel({ hidden: true });
    expect(matcher({ ...noFilter, hidden: 'without' })(hidden)).toBe(false);
    expect(matcher({ ...noFilter, hidden: 'only' })(hidden)).toBe(true);
    expect(matcher(noFilter)(hidden)).toBe(true);
  });

  it('filters 10,000 models in well under 100 ms', () => {
    const models = Array.from({ length: 10_000 }, (_, i) => aModel({ slug: `ollama/m${i}`, modelName: `m${i}` }));
    const matches = matcher({ ...noFilter, q: 'm99' });
    expect(models.filter(matches)).toHaveLength(111);
  });
});

describe('address', () => {
  it('holds the filter and gives it back', () => {
    const filter = {
      ...noFilter,
      q: 'a b',
      kind: 'embedding' as const,
      status: ['active' as const],
      tag: ['x', 'y'],
      hidden: 'only' as const,
    };
    const params = withFilter(new URLSearchParams('model=ollama/x'), filter);
    expect(filterFrom(params)).toEqual(filter);
    expect(params.get('model')).toBe('ollama/x');
    expect(withFilter(params, noFilter).toString()).toBe('model=ollama%2Fx');
  });

  it('holds the order', () => {
    expect(orderFrom(new URLSearchParams('sort=-context'))).toEqual({ column: 'context', descending: true });
    expect(orderFrom(new URLSearchParams())).toEqual({ column: '', descending: false });
  });
});

describe('sorted', () => {
  it('keeps the order of the server without a column', () => {
    const models = [aModel({ slug: 'b/b' }), aModel({ slug: 'a/a' })];
    expect(sorted(models, { column: '', descending: false })).toBe(models);
  });

  it('puts an unknown context window below every known one', () => {
    const models = [aModel({ slug: 'x/1', contextWindow: 8 }), aModel({ slug: 'x/2', contextWindow: null })];
    expect(sorted(models, { column: 'context', descending: true }).map((m) => m.slug)).toEqual(['x/1', 'x/2']);
  });
});

it('counts the values that occur', () => {
  const models = [aModel({ tags: ['b', 'a'] }), aModel({ tags: ['a'] })];
  expect(counts(models, (m) => m.tags)).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});
