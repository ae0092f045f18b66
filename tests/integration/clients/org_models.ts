// A client of the organisation's models as an application's settings page has it: the calls, paths and fields of the
// older API, which the registry API serves beside its own.

export interface OrgModel {
  id: string;
  orgId: string | null;
  provider: string;
  modelName: string;
  displayName: string;
  description: string | null;
  isEnabled: boolean;
  isDefault: boolean;
  capabilities: string[];
  contextWindow: number | null;
  maxOutputTokens: number | null;
  inputPriceMicros: number | null;
  outputPriceMicros: number | null;
  metadata: Record<string, unknown> | null;
  scope: 'global' | 'org';
}

export interface OrgModelChange {
  provider: string;
  modelName: string;
  displayName: string;
  description?: string;
  isEnabled?: boolean;
  isDefault?: boolean;
  capabilities?: string[];
  contextWindow?: number;
  maxOutputTokens?: number;
  inputPriceMicros?: number;
  outputPriceMicros?: number;
  metadata?: Record<string, unknown>;
}

export interface Sent {
  method: string;
  body?: string;
}

export type ModelsReply = Promise<{ models: OrgModel[] }>;
export type ModelReply = Promise<{ model: OrgModel }>;

const server = process.env.REGISTRY_API;

async function apiRequest(path: string, sent: Sent, token: string) {
  const headers = { Authorization: `Bearer ${token}`, ...(sent.body ? { 'Content-Type': 'application/json' } : {}) };
  const answer = await fetch(`${server}${path}`, { ...sent, headers });
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.error), { status: answer.status, body });
  return body;
}

export async function fetchOrgModels(token: string, orgId: string): ModelsReply {
  return apiRequest(`/orgs/${orgId}/models`, { method: 'GET' }, token);
}

export async function upsertOrgModel(token: string, orgId: string, model: OrgModelChange): ModelReply {
  return apiRequest(`/orgs/${orgId}/models`, { method: 'PUT', body: JSON.stringify(model) }, token);
}
