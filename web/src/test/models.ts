import type { Model } from '../api/types';

/** A model for tests, with the fields that a test is about. */
export function aModel(fields: Partial<Model> = {}): Model {
  return {
    id: 'id-1',
    version: 1,
    slug: 'ollama/llama3',
    provider: 'ollama',
    modelName: 'llama3',
    displayName: '',
    description: '',
    kind: 'generation',
    status: 'active',
    scope: 'platform',
    enabled: true,
    inherits: true,
    hidden: false,
    capabilities: {},
    tags: [],
    sources: {},
    contextWindow: null,
    outputTokensMax: null,
    isDefault: false,
    ...fields,
  };
}
