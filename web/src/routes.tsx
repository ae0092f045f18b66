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

import { listsOfOverview } from './api/firstPage';
import { listKey, readList } from './api/lists';
import { pageCode, type PagePath } from './pages/code';
import { modelsQuery } from './pages/models/useModels';
import { orgPath } from './paths';
import { loadable, type Loadable } from './shell/loadable';
import { texts } from './texts';

export interface PageRoute extends Loadable<object> {
  /** Below /ui/orgs/{org}/. */
  path: PagePath;
  label: string;
  icon: string;
  /** Without it the entry is not shown, and the page explains itself. */
  permission: string;
  /** Whether the page makes sense for the platform's own rows too. */
  platform: boolean;
  /** Reached from another page, so that the navigation does not name it. */
  inner?: boolean;
  /** Asks for the data ahead, while the code is on its way. */
  prefetch?: (queryClient: QueryClient, org: string) => Promise<unknown>;
}

const page = (path: PagePath) => loadable<object>(pageCode[path]);
const prefetchModels = (queryClient: QueryClient, org: string) => queryClient.prefetchInfiniteQuery(modelsQuery(org));
const nav = texts.shell.nav;

export const pages: PageRoute[] = [
  {
    path: 'overview',
    label: nav.overview,
    icon: mdiViewDashboardOutline,
    permission: 'org:models:read',
    platform: true,
    ...page('overview'),
    prefetch: (queryClient, org) =>
      Promise.all([
        prefetchModels(queryClient, org),
        ...listsOfOverview.map((name) =>
          queryClient.prefetchQuery({ queryKey: listKey(name, org), queryFn: () => readList(name, org) }),
        ),
      ]),
  },
  {
    path: 'models',
    label: nav.models,
    icon: mdiViewListOutline,
    permission: 'org:models:read',
    platform: true,
    ...page('models'),
    prefetch: prefetchModels,
  },
  {
    path: 'playground',
    label: nav.playground,
    icon: mdiChatProcessingOutline,
    permission: 'org:models:use',
    platform: false,
    ...page('playground'),
  },
  {
    path: 'connections',
    label: nav.connections,
    icon: mdiLanConnect,
    permission: 'org:connections:read',
    platform: true,
    ...page('connections'),
  },
  {
    path: 'connections/new',
    label: texts.addConnection.title,
    icon: mdiLanConnect,
    permission: 'org:connections:read',
    platform: true,
    inner: true,
    ...page('connections/new'),
  },
  {
    path: 'connections/:connection',
    label: nav.connections,
    icon: mdiLanConnect,
    permission: 'org:connections:read',
    platform: true,
    inner: true,
    ...page('connections/:connection'),
  },
  {
    path: 'credentials',
    label: nav.credentials,
    icon: mdiKeyOutline,
    permission: 'org:credentials:read',
    platform: true,
    ...page('credentials'),
  },
  {
    path: 'sync',
    label: nav.sync,
    icon: mdiSync,
    permission: 'org:connections:read',
    platform: true,
    ...page('sync'),
  },
  {
    path: 'defaults',
    label: nav.defaults,
    icon: mdiStarOutline,
    permission: 'org:models:read',
    platform: true,
    ...page('defaults'),
  },
  {
    path: 'views',
    label: nav.views,
    icon: mdiFilterOutline,
    permission: 'org:models:read',
    platform: true,
    ...page('views'),
  },
  {
    path: 'picker',
    label: nav.picker,
    icon: mdiFormSelect,
    permission: 'org:models:use',
    platform: false,
    ...page('picker'),
  },
  {
    path: 'access',
    label: nav.access,
    icon: mdiAccountLockOpenOutline,
    permission: 'org:models:read',
    platform: false,
    ...page('access'),
  },
  {
    path: 'members',
    label: nav.members,
    icon: mdiAccountGroupOutline,
    permission: 'org:members:read',
    platform: false,
    ...page('members'),
  },
  {
    path: 'tokens',
    label: nav.tokens,
    icon: mdiRobotOutline,
    permission: 'org:members:read',
    platform: true,
    ...page('tokens'),
  },
  {
    path: 'audit',
    label: nav.audit,
    icon: mdiClipboardTextClockOutline,
    permission: 'org:audit:read',
    platform: true,
    ...page('audit'),
  },
  {
    path: 'settings',
    label: nav.settings,
    icon: mdiCogOutline,
    permission: 'org:models:read',
    platform: false,
    ...page('settings'),
  },
];

export const homePath = (org: string) => orgPath(org, 'overview');
