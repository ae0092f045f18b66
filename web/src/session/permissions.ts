// What a role may do, so that the page offers only what the server will allow. The server decides; a test compares this
// table with docs/explanation/authorisation.md.
import type { Role, Session } from '../api/types';

const viewer = ['org:models:read', 'org:connections:read'];
const member = [...viewer, 'org:models:use', 'org:models:test'];
const modelAdmin = [
  ...member,
  'org:models:write',
  'org:defaults:write',
  'org:aliases:write',
  'org:grants:write',
  'org:sync:run',
];
const orgAdmin = [
  ...modelAdmin,
  'org:connections:write',
  'org:credentials:read',
  'org:credentials:write',
  'org:audit:read',
  'org:members:read',
  'org:members:write',
  'org:settings:write',
];
const platform = [
  'platform:models:write',
  'platform:connections:write',
  'platform:orgs:write',
  'platform:blocks:write',
  'platform:credentials:write',
  'platform:audit:read',
];

export const permissionsOf: Record<Role, readonly string[]> = {
  viewer,
  member,
  model_admin: modelAdmin,
  org_admin: orgAdmin,
  platform_admin: [...orgAdmin, ...platform],
};

/** The platform's own rows are addressed as an organisation of this name. */
export const platformOrg = '_';

export function roleIn(session: Session, org: string): Role | undefined {
  if (session.platformAdmin) return 'platform_admin';
  return session.memberships.find((m) => m.org === org)?.role;
}

export function may(session: Session, org: string, permission: string): boolean {
  const denied = session.memberships.find((m) => m.org === org)?.denied ?? [];
  if (denied.includes(permission)) return false;
  const role = roleIn(session, org);
  return role !== undefined && permissionsOf[role].includes(permission);
}
