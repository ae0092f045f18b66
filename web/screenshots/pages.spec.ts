// Pictures of every page, light and dark, wide and 320 px, for docs/screenshots. The models are few and have names that mean
// something.
import { expect, org, test } from '../e2e/world';

const folder = process.env.WEB_SCREENSHOTS ?? 'test-results/screenshots';
const showcase = encodeURIComponent('ollama/house-chat');

const pages: Record<string, string> = {
  overview: 'overview',
  models: 'models',
  'model-overview': `models?model=${showcase}`,
  'model-limits': `models?model=${showcase}&tab=limits`,
  'model-capabilities': `models?model=${showcase}&tab=capabilities`,
  'model-usage': `models?model=${showcase}&tab=usage`,
  'model-explain': `models?model=${showcase}&tab=explain`,
  playground: 'playground',
  connections: 'connections',
  'connection-new': 'connections/new',
  credentials: 'credentials',
  sync: 'sync',
  defaults: 'defaults',
  views: 'views',
  picker: 'picker',
  access: 'access',
  members: 'members',
  tokens: 'tokens',
  audit: 'audit',
  settings: 'settings',
};

const models: Record<string, object> = {
  'house-chat': {
    displayName: 'House chat',
    description: 'For every day.',
    enabled: true,
    contextWindow: 131072,
    outputTokensMax: 8192,
    capabilities: { chat: 'supported', tools: 'supported', vision: 'unsupported' },
    tags: ['fast', 'eu'],
  },
  'long-reader': {
    displayName: 'Long reader',
    enabled: true,
    contextWindow: 1048576,
    capabilities: { chat: 'supported' },
  },
  'vectors-small': {
    displayName: 'Small vectors',
    kind: 'embedding',
    enabled: true,
    embeddingDimensions: 768,
    capabilities: { embedding: 'supported' },
  },
  'old-chat': { displayName: 'Old chat', enabled: false, lifecycle: 'deprecated', capabilities: { chat: 'supported' } },
};

for (const scheme of ['light', 'dark'] as const)
  for (const width of [1280, 320])
    test(`${scheme}, ${width} px`, async ({ admin, api }) => {
      for (const [name, fields] of Object.entries(models))
        await api.call('PUT', `/v1/orgs/${org}/models/${encodeURIComponent(`ollama/${name}`)}`, fields);
      await api.call('PUT', `/v1/orgs/${org}/aliases/house`, { targets: [{ model: 'ollama/house-chat', weight: 1 }] });
      await api.call('PUT', `/v1/orgs/${org}/defaults`, { kind: 'generation', model: 'ollama/house-chat' });
      await api.call('PUT', `/v1/orgs/${org}/views/chat`, { filter: { kind: 'generation' }, pins: [] });
      await admin.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await admin.setViewportSize({ width, height: 800 });
      for (const [name, path] of Object.entries(pages)) {
        await admin.goto(`/ui/orgs/${org}/${path}`);
        await expect(
          admin.getByRole('main', { includeHidden: true }).getByRole('heading', { includeHidden: true }).first(),
        ).toBeVisible();
        await expect(admin.getByRole('status', { name: 'Loading…' })).toHaveCount(0);
        await admin.waitForLoadState('networkidle');
        await admin.screenshot({ path: `${folder}/${name}-${scheme}-${width}.jpg`, type: 'jpeg', quality: 60 });
      }
    });
