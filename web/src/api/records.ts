// Records of governance. The OpenAPI document leaves some of their fields open; these are the fields that the API sends.
import type { components } from './schema';
import type { Kind, Role } from './types';

type Schemas = components['schemas'];

export type Scope = 'platform' | 'organization' | 'user';
export type AuthType = NonNullable<Schemas['ConnectionInput']['authType']>;
export type Health = 'unknown' | 'healthy' | 'degraded' | 'down';
export type ConnectionTest = Schemas['ConnectionTest'];
export type TestStage = Schemas['ConnectionTestStage'];

export interface Connection {
  id: string;
  version: number;
  scope: Scope;
  provider: string;
  name: string;
  baseUrl: string;
  authType: AuthType;
  authName?: string | null;
  credential?: { id: string; label: string; last4: string; secretVersion: number } | null;
  priority: number;
  weight: number;
  enabled: boolean;
  syncEnabled: boolean;
  syncIntervalS?: number | null;
  includeGlobs: string[];
  excludeGlobs: string[];
  onNew: 'disabled' | 'enabled';
  slugPrefix: string;
  health: Health;
  /** The cause where it is down or degraded. */
  healthReason?: string | null;
  lastSync: { status: 'never' | 'ok' | 'held' | 'failed'; errorClass: string; since?: string | null };
  createdAt?: string | null;
  updatedAt?: string | null;
}

export type CredentialField = Schemas['CredentialField'];

export interface ProviderTemplate {
  id: string;
  adapter: string;
  displayName: string;
  kinds: Kind[];
  authTypes: AuthType[];
  defaultBaseUrl?: string | null;
  docUrl?: string | null;
  /** What a new connection asks for. An older server has none. */
  credentialForm?: { fields: CredentialField[] };
}

export interface Credential {
  id: string;
  version: number;
  provider: string;
  label: string;
  last4: string;
  secretVersion: number;
  /** Of the further secret headers. */
  headerNames: string[];
  expiresAt?: string | null;
  revokedAt?: string | null;
  lastUsedAt?: string | null;
  usedBy: string[];
  createdAt: string;
  updatedAt: string;
}

export interface SyncRun {
  id: string;
  connection: string;
  connectionId: string;
  trigger: string;
  status: string;
  listed: number | null;
  added: number | null;
  updated: number | null;
  unchanged: number | null;
  missing: number | null;
  failed: number | null;
  errorClass: string;
  detail: string;
  startedAt: string;
  finishedAt: string;
}

export interface HeldChange {
  id: string;
  connection?: string | null;
  connectionId?: string | null;
  /** Of an entry of a catalogue, which is of no connection. */
  catalog?: string | null;
  modelId?: string | null;
  model?: string | null;
  reason: string;
  before: unknown;
  after: unknown;
  since: string;
}

export interface Alias {
  alias: string;
  scope: Scope;
  version: number;
  sticky: 'none' | 'conversation' | 'user';
  description: string;
  targets: { modelId: string; model: string; weight: number }[];
  updatedAt: string;
}

export interface Default {
  kind: Kind;
  provider?: string | null;
  purpose: string;
  modelId: string;
  model: string;
  version: number;
  updatedAt: string;
}

export type ViewFilter = Schemas['ViewFilter'];

export interface View {
  name: string;
  scope: Scope;
  version: number;
  filter: ViewFilter;
  pins: { modelId: string; model: string }[];
  forAuto: boolean;
  updatedAt: string;
}

export interface Grant {
  id: string;
  subjectKind: 'org' | 'group' | 'user';
  subject?: string | null;
  objectKind: 'model' | 'connection' | 'alias';
  object: string;
  objectId: string;
  effect: 'allow' | 'deny';
  version: number;
  createdBy: string;
  createdAt: string;
}

export interface Member {
  id: string;
  issuer: string;
  subject: string;
  kind: string;
  displayName?: string | null;
  role: Role;
  denied: string[];
  version: number;
  createdAt: string;
}

export interface Token {
  id: string;
  name: string;
  role: Role;
  createdBy: string;
  createdAt: string;
  expiresAt?: string | null;
  lastUsedAt?: string | null;
  revokedAt?: string | null;
}

export interface AuditEntry {
  id: string;
  at: string;
  actor: string;
  action: string;
  targetType: string;
  targetId: string;
  targetName?: string | null;
  before?: unknown;
  after?: unknown;
  version?: number | null;
  cause?: string | null;
  requestId?: string | null;
}

export interface OrganizationSettings {
  id: string;
  slug: string;
  displayName: string;
  mode: 'open' | 'allow_list';
  strictDefault: boolean;
  version: number;
}
