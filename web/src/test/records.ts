import type { Connection, Credential } from '../api/records';

export function aConnection(fields: Partial<Connection> = {}): Connection {
  return {
    id: 'c1',
    version: 7,
    scope: 'organization',
    provider: 'openai',
    name: 'openai-eu',
    baseUrl: 'https://api.openai.com/v1',
    authType: 'bearer',
    authName: '',
    credential: { id: 'k1', label: 'production', last4: 'x9z1', secretVersion: 1 },
    priority: 0,
    weight: 1,
    enabled: true,
    syncEnabled: true,
    syncIntervalS: null,
    includeGlobs: [],
    excludeGlobs: [],
    onNew: 'disabled',
    slugPrefix: '',
    health: 'healthy',
    lastSync: { status: 'ok', errorClass: '', since: '2026-01-01T00:00:00Z' },
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
    ...fields,
  };
}

export function aCredential(fields: Partial<Credential> = {}): Credential {
  return {
    id: 'k1',
    version: 1,
    provider: 'openai',
    label: 'production',
    last4: 'x9z1',
    secretVersion: 1,
    headerNames: [],
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    usedBy: [],
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
    ...fields,
  };
}

export const openAi = {
  id: 'openai',
  adapter: 'openai',
  displayName: 'OpenAI',
  kinds: ['generation', 'embedding'],
  authTypes: ['bearer', 'none'],
  defaultBaseUrl: 'https://api.openai.com/v1',
  docUrl: null,
};
