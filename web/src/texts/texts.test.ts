import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { texts } from '.';

it('names each rule of an explanation that the API sends', () => {
  const source = readFileSync('../common/registry/clauses.cpp', 'utf8').split('Refusal ')[0] ?? '';
  const names = [...source.matchAll(/return "(\w+)";/g)].map((found) => found[1] ?? '').filter((n) => n !== 'unknown');
  expect(names.length).toBeGreaterThan(10);
  expect(Object.keys(texts.detail.explain.clause)).toEqual(names);
});
