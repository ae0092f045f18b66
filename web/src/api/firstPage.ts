// The requests for the first data of a page. A file of its own: the first script sends them before the rest of the code has arrived.

// What a row shows. Metadata can be large, and the details are read when a model is opened.
const fields = [
  'id',
  'platformId',
  'ownId',
  'scope',
  'provider',
  'modelName',
  'slug',
  'kind',
  'displayName',
  'description',
  'status',
  'enabled',
  'inherits',
  'blocked',
  'blockedBy',
  'hidden',
  'lifecycle',
  'availability',
  'missingSince',
  'contextWindow',
  'outputTokensMax',
  'embeddingDimensions',
  'capabilities',
  'tags',
  'isDefault',
  'sources',
  'version',
  'updatedAt',
  'prices',
].join(',');

/** Small, so that rows appear at once. */
const firstSize = 100;
const nextSize = 1000;

/** Of lists that are read whole. */
export const listPageSize = 1000;
/** Those that everyone may read. */
export const listsOfOverview = ['connections', 'defaults', 'held-changes'] as const;

export const modelsPath = '/v1/orgs/{org}/models';

export const modelsAsked = (pageToken: string) => ({
  fields,
  page_size: pageToken ? nextSize : firstSize,
  ...(pageToken ? { page_token: pageToken } : {}),
});
