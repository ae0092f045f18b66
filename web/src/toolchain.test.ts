import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** As in Debian 12. */
const debian = [18, 20, 4];

const below = (a: readonly number[], b: readonly number[]): boolean => {
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return (a[i] ?? 0) < (b[i] ?? 0);
  return false;
};

/** Whether a range of versions, as `engines` has it, contains the version. */
function admits(range: string, version: readonly number[]): boolean {
  return range.split('||').some((alternative) =>
    [...alternative.matchAll(/(>=|<=|>|<|\^|~)?\s*v?(\d+|\*|x)(?:\.(\d+|x))?(?:\.(\d+|x))?/g)].every(
      ([, sign = '^', ...parts]) => {
        if (/[*x]/.test(parts[0] ?? '')) return true;
        const bound = parts.map((part) => Number(part ?? 0) || 0);
        if (sign === '<') return below(version, bound);
        if (sign === '<=') return !below(bound, version);
        if (below(version, bound)) return false;
        return sign.startsWith('>') || bound[0] === version[0];
      },
    ),
  );
}

it.each([
  ['>=18', true],
  ['^14.18.0 || >=16.0.0', true],
  ['^18.0.0 || ^20.0.0 || >=22.0.0', true],
  ['>= 6', true],
  ['>=14 <21', true],
  ['*', true],
  ['>=20', false],
  ['^20.19.0 || >=22.12.0', false],
  ['>=14 <18', false],
])('reads the range %s', (range, holds) => expect(admits(range, debian)).toBe(holds));

it('has only packages that run on the Node.js of Debian 12', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { engines?: { node?: string } }>;
  };
  const refused = Object.entries(packages).filter(([, { engines }]) => !admits(engines?.node ?? '*', debian));
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(refused.map(([name, { engines }]) => `${name} ${engines?.node}`)).toEqual([]);
});
