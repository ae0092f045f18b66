import { mdiDomain, mdiLockOutline } from '@mdi/js';
import { type ReactNode, useEffect } from 'react';

import { CrashBoundary } from '../components/CrashBoundary';
import { Empty } from '../components/States';
import type { PageRoute } from '../routes';
import { platformOrg } from '../session/permissions';
import { useMay, useOrg } from '../session/session';
import { texts } from '../texts';
import { lastOrg } from './OrgSwitcher';

/** Around each page: its title, its permission, and a wall against its failures. */
export function PageFrame({ route, children }: { route: PageRoute; children: ReactNode }) {
  const org = useOrg();
  const allowed = useMay(route.permission);
  useEffect(() => {
    document.title = `${route.label} · ${org} · ${texts.common.appName}`;
    if (allowed) lastOrg.set(org);
  }, [route.label, org, allowed]);
  if (!allowed) return <Empty icon={mdiLockOutline} title={texts.shell.forbidden} hint={texts.shell.forbiddenHint} />;
  if (org === platformOrg && !route.platform)
    return <Empty icon={mdiDomain} title={texts.common.platformHasNone} hint={texts.common.platformHasNoneHint} />;
  return <CrashBoundary key={`${org}/${route.path}`}>{children}</CrashBoundary>;
}
