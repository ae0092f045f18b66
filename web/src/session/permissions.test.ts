import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import type { Role, Session } from '../api/types';
import { may, permissionsOf } from './permissions';

it('is the table of docs/explanation/authorisation.md', () => {
  const page = readFileSync('../docs/explanation/authorisation.md', 'utf8').split('## Personal rows')[0] ?? '';
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  const roles = (rows[0] ?? '')
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim()) as Role[];
  expect(roles).toEqual(Object.keys(permissionsOf));
  const documented = Object.fromEntries(roles.map((role) => [role, [] as string[]]));
  for (const row of rows.filter((line) => line.includes('`'))) {
    const cells = row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const permission = (cells[0] ?? '').replaceAll('`', '');
    roles.forEach((role, i) => cells[i + 1] === 'yes' && documented[role]?.push(permission));
  }
  for (const role of roles) expect([...permissionsOf[role]].sort()).toEqual(documented[role]?.sort());
});

it('lets a denial win over the role', () => {
  const session = {
    platformAdmin: true,
    memberships: [{ org: 'acme', name: '', role: 'org_admin', denied: ['org:audit:read'] }],
  };
  expect(may(session as unknown as Session, 'acme', 'org:audit:read')).toBe(false);
  expect(may(session as unknown as Session, 'acme', 'org:models:write')).toBe(true);
});
