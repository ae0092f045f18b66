// The code of each page, loaded when it is first opened. The first script of the page holds this table, so nothing else is imported.
export const pageCode = {
  overview: () => import('./overview/OverviewPage'),
  models: () => import('./models/ModelsPage'),
  playground: () => import('./playground/PlaygroundPage'),
  connections: () => import('./connections/ConnectionsPage'),
  'connections/new': () => import('./addConnection/AddConnectionPage'),
  'connections/:connection': () => import('./connections/ConnectionPage'),
  credentials: () => import('./govern').then(({ CredentialsPage }) => ({ default: CredentialsPage })),
  sync: () => import('./sync/SyncPage'),
  defaults: () => import('./govern').then(({ DefaultsPage }) => ({ default: DefaultsPage })),
  views: () => import('./govern').then(({ ViewsPage }) => ({ default: ViewsPage })),
  picker: () => import('./picker/PickerPage'),
  access: () => import('./govern').then(({ AccessPage }) => ({ default: AccessPage })),
  members: () => import('./govern').then(({ MembersPage }) => ({ default: MembersPage })),
  tokens: () => import('./govern').then(({ TokensPage }) => ({ default: TokensPage })),
  audit: () => import('./govern').then(({ AuditPage }) => ({ default: AuditPage })),
  settings: () => import('./govern').then(({ SettingsPage }) => ({ default: SettingsPage })),
};

export type PagePath = keyof typeof pageCode;

/** The page of an address below /ui, and its organisation. */
export function pageAt(path: string): { page: PagePath; org: string } | undefined {
  const [, org, rest = ''] = /^\/orgs\/([^/]+)\/(.+?)\/?$/.exec(path) ?? [];
  if (org === undefined) return undefined;
  const page = Object.hasOwn(pageCode, rest)
    ? rest
    : /^connections\/[^/]+$/.test(rest)
      ? 'connections/:connection'
      : undefined;
  try {
    return page === undefined ? undefined : { page: page as PagePath, org: decodeURIComponent(org) };
  } catch {
    // An organisation that no address can name.
    return undefined;
  }
}
