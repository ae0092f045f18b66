import { expect, it } from 'vitest';

import { nameOfDependent } from './dependents';

it('calls what uses a model as people do', () => {
  expect(nameOfDependent({ refType: 'alias', refId: 'fast', label: 'An A/B set' })).toBe('fast · An A/B set');
  expect(nameOfDependent({ refType: 'alias', refId: 'fast', label: '' })).toBe('fast');
  expect(nameOfDependent({ refType: 'default', refId: 'generation', label: 'acme' })).toBe('Generation');
  expect(nameOfDependent({ refType: 'default', refId: 'embedding/search', label: 'platform' })).toBe(
    'Embedding · search · Platform',
  );
  expect(nameOfDependent({ refType: 'view', refId: 'house', label: '' })).toBe('house');
  expect(nameOfDependent({ refType: 'knowledge_base', refId: 'kb-1', label: 'Contracts' })).toBe('Contracts');
});
