// The one table of pages: address, entry in the navigation, the permission that it takes, and the code, which is loaded
// when the page is first opened.
import {
  mdiAccountGroupOutline,
  mdiAccountLockOpenOutline,
  mdiChatProcessingOutline,
  mdiClipboardTextClockOutline,
  mdiCogOutline,
  mdiFilterOutline,
  mdiFormSelect,
  mdiKeyOutline,
  mdiLanConnect,
  mdiRobotOutline,
  mdiStarOutline,
  mdiSync,
  mdiViewDashboardOutline,
  mdiViewListOutline,
} from '@mdi/js';
import type { QueryClient } from '@tanstack/react-query';
import { type ComponentType, lazy } from 'react';

import { modelsQuery } from './pages/models/useModels';
import { orgPath } from './paths';
import { texts } from './texts';

export interface PageRoute {
  /** Below /ui/orgs/{org}/. */
  path: string;
  label: string;
  icon: string;
  /** Without it the entry is not shown, and the page explains itself. */
  permission: string;
  /** Whether the page makes sense for the platform's own rows too. */
  platform: boolean;
  /** Reached from another page, so that the navigation does not name it. */
  inner?: boolean;
  page: ComponentType;
  /** Loads the code ahead. */
  load: () => Promise<unknown>;
  /** Asks for the data ahead, while the code is on its way. */
  prefetch?: (queryClient: QueryClient, org: string) => Promise<unknown>;
}

const page = (load: () => Promise<{ default: ComponentType }>) => ({ page: lazy(load), load });
const nav = texts.shell.nav;

export const pages: PageRoute[] = [
  {
    path: 'overview',
    label: nav.overview,
    icon: mdiViewDashboardOutline,
    permission: 'org:models:read',
    platform: true,
    ...page(() => import('./pages/overview/OverviewPage')),
  },
  {
    path: 'models',
    label: nav.models,
    icon: mdiViewListOutline,
    permission: 'org:models:read',
    platform: true,
    ...page(() => import('./pages/models/ModelsPage')),
    prefetch: (queryClient, org) => queryClient.prefetchInfiniteQuery(modelsQuery(org)),
  },
  {
    path: 'playground',
    label: nav.playground,
    icon: mdiChatProcessingOutline,
    permission: 'org:models:use',
    platform: false,
    ...page(() => import('./pages/playground/PlaygroundPage')),
  },
  {
    path: 'connections',
    label: nav.connections,
    icon: mdiLanConnect,
    permission: 'org:connections:read',
    platform: true,
    ...page(() => import('./pages/connections/ConnectionsPage')),
  },
  {
    path: 'connections/new',
    label: texts.addConnection.title,
    icon: mdiLanConnect,
    permission: 'org:connections:read',
    platform: true,
    inner: true,
    ...page(() => import('./pages/addConnection/AddConnectionPage')),
  },
  {
    path: 'connections/:connection',
    label: nav.connections,
    icon: mdiLanConnect,
    permission: 'org:connections:read',
    platform: true,
    inner: true,
    ...page(() => import('./pages/connections/ConnectionPage')),
  },
  {
    path: 'credentials',
    label: nav.credentials,
    icon: mdiKeyOutline,
    permission: 'org:credentials:read',
    platform: true,
    ...page(() => import('./pages/govern').then(({ CredentialsPage }) => ({ default: CredentialsPage }))),
  },
  {
    path: 'sync',
    label: nav.sync,
    icon: mdiSync,
    permission: 'org:connections:read',
    platform: true,
    ...page(() => import('./pages/sync/SyncPage')),
  },
  {
    path: 'defaults',
    label: nav.defaults,
    icon: mdiStarOutline,
    permission: 'org:models:read',
    platform: true,
    ...page(() => import('./pages/govern').then(({ DefaultsPage }) => ({ default: DefaultsPage }))),
  },
  {
    path: 'views',
    label: nav.views,
    icon: mdiFilterOutline,
    permission: 'org:models:read',
    platform: true,
    ...page(() => import('./pages/govern').then(({ ViewsPage }) => ({ default: ViewsPage }))),
  },
  {
    path: 'picker',
    label: nav.picker,
    icon: mdiFormSelect,
    permission: 'org:models:use',
    platform: false,
    ...page(() => import('./pages/picker/PickerPage')),
  },
  {
    path: 'access',
    label: nav.access,
    icon: mdiAccountLockOpenOutline,
    permission: 'org:models:read',
    platform: false,
    ...page(() => import('./pages/govern').then(({ AccessPage }) => ({ default: AccessPage }))),
  },
  {
    path: 'members',
    label: nav.members,
    icon: mdiAccountGroupOutline,
    permission: 'org:members:read',
    platform: false,
    ...page(() => import('./pages/govern').then(({ MembersPage }) => ({ default: MembersPage }))),
  },
  {
    path: 'tokens',
    label: nav.tokens,
    icon: mdiRobotOutline,
    permission: 'org:members:read',
    platform: true,
    ...page(() => import('./pages/govern').then(({ TokensPage }) => ({ default: TokensPage }))),
  },
  {
    path: 'audit',
    label: nav.audit,
    icon: mdiClipboardTextClockOutline,
    permission: 'org:audit:read',
    platform: true,
    ...page(() => import('./pages/govern').then(({ AuditPage }) => ({ default: AuditPage }))),
  },
  {
    path: 'settings',
    label: nav.settings,
    icon: mdiCogOutline,
    permission: 'org:models:read',
    platform: false,
    ...page(() => import('./pages/govern').then(({ SettingsPage }) => ({ default: SettingsPage }))),
  },
];

/** The page of an address below /ui, and its organisation. */
export function pageAt(path: string): { route: PageRoute; org: string } | undefined {
  const [, org, rest] = /^\/orgs\/([^/]+)\/(.+?)\/?$/.exec(path) ?? [];
  const route = pages.find((each) => each.path === rest);
  return route && org !== undefined ? { route, org: decodeURIComponent(org) } : undefined;
}

export const homePath = (org: string) => orgPath(org, 'overview');
