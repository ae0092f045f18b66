// The settings of a connection as a form holds them, and what changed in them.
import type { AuthType, Connection } from '../../api/records';
import { texts } from '../../texts';
import type { ConnectionPatch } from './useConnections';

const t = texts.connections;

export interface Settings {
  name: string;
  baseUrl: string;
  authType: AuthType;
  authName: string;
  credentialId: string;
  onNew: 'disabled' | 'enabled';
  priority: string;
  weight: string;
  syncEnabled: boolean;
  syncIntervalS: string;
  includeGlobs: string;
  excludeGlobs: string;
  slugPrefix: string;
}

export const settingLabels: Record<keyof Settings, string> = {
  name: t.name,
  baseUrl: t.address,
  authType: t.auth,
  authName: t.authName,
  credentialId: t.credential,
  onNew: t.onNew,
  priority: t.priority,
  weight: t.weight,
  syncEnabled: t.syncEnabled,
  syncIntervalS: t.syncInterval,
  includeGlobs: t.include,
  excludeGlobs: t.exclude,
  slugPrefix: t.slugPrefix,
};

export function settingsOf(connection: Connection): Settings {
  return {
    name: connection.name,
    baseUrl: connection.baseUrl,
    authType: connection.authType,
    authName: connection.authName ?? '',
    credentialId: connection.credential?.id ?? '',
    onNew: connection.onNew,
    priority: String(connection.priority),
    weight: String(connection.weight),
    syncEnabled: connection.syncEnabled,
    syncIntervalS: connection.syncIntervalS == null ? '' : String(connection.syncIntervalS),
    includeGlobs: connection.includeGlobs.join('\n'),
    excludeGlobs: connection.excludeGlobs.join('\n'),
    slugPrefix: connection.slugPrefix,
  };
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

const asPatch: { [K in keyof Settings]: (value: Settings[K]) => unknown } = {
  name: (value) => value.trim(),
  baseUrl: (value) => value.trim(),
  authType: (value) => value,
  authName: (value) => value.trim() || null,
  credentialId: (value) => value || null,
  onNew: (value) => value,
  priority: (value) => (value === '' ? null : Number(value)),
  weight: (value) => (value === '' ? null : Number(value)),
  syncEnabled: (value) => value,
  syncIntervalS: (value) => (value === '' ? null : Number(value)),
  includeGlobs: lines,
  excludeGlobs: lines,
  slugPrefix: (value) => value.trim(),
};

export const changedSettings = (before: Settings, after: Settings) =>
  (Object.keys(asPatch) as (keyof Settings)[]).filter((field) => before[field] !== after[field]);

/** Only what was changed, so that an edit of something else by another person is not undone. */
export function patchOf(before: Settings, after: Settings): ConnectionPatch {
  const patch: Record<string, unknown> = {};
  for (const field of changedSettings(before, after))
    patch[field] = (asPatch[field] as (value: unknown) => unknown)(after[field]);
  return patch as ConnectionPatch;
}

export function settingText(field: keyof Settings, settings: Settings): string {
  const value = settings[field];
  if (field === 'authType') return t.authType[value as AuthType];
  if (field === 'onNew') return t.onNewName[value as Settings['onNew']];
  if (typeof value === 'boolean') return value ? texts.common.yes : texts.common.no;
  return value.replaceAll('\n', ', ');
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const isName = (name: string) => namePattern.test(name.trim());

/** An address that the server will take. Whether it may be called, the server decides. */
export function isBaseUrl(text: string): boolean {
  try {
    const url = new URL(text.trim());
    return ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password && !/\s/.test(text.trim());
  } catch {
    return false;
  }
}
