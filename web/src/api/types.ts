// Records of the API by their short names. `Model` and `Connection` name fields too that the OpenAPI document leaves open.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Kind = NonNullable<Schemas['ModelPatch']['kind']>;
export type Lifecycle = NonNullable<Schemas['ModelPatch']['lifecycle']>;
export type Support = 'supported' | 'unsupported' | 'unknown';
export type Status = 'active' | 'disabled' | 'blocked' | 'maintenance' | 'retired' | 'missing' | 'unserved';
export type ModelScope = 'platform' | 'override' | 'organization' | 'personal';
export type ModelPatch = Schemas['ModelPatch'];
export type Organization = Schemas['Organization'];
export type Provider = Schemas['Provider'] & { kinds?: string[]; authTypes?: string[] };

export interface Deployment {
  id: string;
  connectionId: string;
  connection: string;
  upstreamName: string;
  priority: number;
  weight: number;
  enabled: boolean;
  connectionEnabled: boolean;
  health: string;
  availability: string;
}

export interface Model extends Omit<
  Schemas['Model'],
  | 'capabilities'
  | 'sources'
  | 'origins'
  | 'scope'
  | 'status'
  | 'kind'
  | 'provider'
  | 'modelName'
  | 'slug'
  | 'deployments'
> {
  slug: string;
  provider: string;
  modelName: string;
  kind: Kind;
  status: Status;
  scope: ModelScope;
  capabilities: Record<string, Support>;
  sources?: Record<string, string>;
  /** The catalogue of a curated value, the rule of an inferred one. */
  origins?: Record<string, string>;
  platformId?: string | null;
  ownId?: string | null;
  inherits?: boolean;
  blockedBy?: string | null;
  inputTokensMax?: number | null;
  embeddingDimensions?: number | null;
  maintenanceUntil?: string | null;
  maintenanceReason?: string;
  deprecatesAt?: string | null;
  retiresAt?: string | null;
  replacementId?: string | null;
  missingSince?: string | null;
  tags: string[];
  deployments?: Deployment[];
}

export interface Membership {
  org: string;
  name: string;
  role: Role;
  denied: string[];
}

export type Role = 'viewer' | 'member' | 'model_admin' | 'org_admin' | 'platform_admin';

export interface Session {
  user: { issuer: string; subject: string; name: string };
  platformAdmin: boolean;
  memberships: Membership[];
  csrfToken: string;
  expiresAt: string;
  mode: 'dev' | 'jwt';
  /** Where the browser goes after DELETE /v1/session, to log out at the provider too. */
  logoutUrl?: string;
  /** The dashboard of the use and cost of models, where api.dashboard_url is set. */
  dashboardUrl?: string;
}

export interface SessionOptions {
  mode: 'dev' | 'jwt';
  oidc: boolean;
  devRoles: Role[];
}

/** The name a person sees. */
export const nameOf = (model: Pick<Model, 'displayName' | 'modelName'>) => model.displayName || model.modelName;
