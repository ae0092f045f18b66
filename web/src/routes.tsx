// The one table of pages: address, entry in the navigation, the permission that it takes, and the code, which is loaded
// when the page is first opened.
import { mdiChatProcessingOutline, mdiFormSelect, mdiViewListOutline } from '@mdi/js';
import { type ComponentType, lazy } from 'react';

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
  page: ComponentType;
}

const page = (load: () => Promise<{ default: ComponentType }>) => lazy(load);

export const pages: PageRoute[] = [
  {
    path: 'models',
    label: texts.shell.nav.models,
    icon: mdiViewListOutline,
    permission: 'org:models:read',
    platform: true,
    page: page(() => import('./pages/models/ModelsPage')),
  },
  {
    path: 'playground',
    label: texts.shell.nav.playground,
    icon: mdiChatProcessingOutline,
    permission: 'org:models:use',
    platform: false,
    page: page(() => import('./pages/playground/PlaygroundPage')),
  },
  {
    path: 'picker',
    label: texts.shell.nav.picker,
    icon: mdiFormSelect,
    permission: 'org:models:use',
    platform: false,
    page: page(() => import('./pages/picker/PickerPage')),
  },
];

export const homePath = (org: string) => `/orgs/${encodeURIComponent(org)}/models`;
