// The roles of an organisation, and what they may do, as people read it.
import { texts } from '../../texts';

/** Roles that an organisation gives; the platform's admins are no members. */
export const orgRoles = ['viewer', 'member', 'model_admin', 'org_admin'] as const;

export const permissionName = (permission: string) => texts.members.permission[permission] ?? permission;
