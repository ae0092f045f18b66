import { mdiDomainOff } from '@mdi/js';
import { Navigate } from 'react-router-dom';

import { Problem } from '../components/Problem';
import { Empty, Skeletons } from '../components/States';
import { homePath } from '../routes';
import { platformOrg } from '../session/permissions';
import { useSession } from '../session/session';
import { texts } from '../texts';
import { useOrganizations } from './organizations';
import { lastOrg } from './OrgSwitcher';

/** Leads to the organisation that was looked at last, or to the first. */
export function Home() {
  const session = useSession();
  const { choices, isPending, error } = useOrganizations();
  if (isPending) return <Skeletons />;
  const kept = choices.find((choice) => choice.id === lastOrg.get());
  const first = kept ?? choices.find((choice) => choice.id !== platformOrg) ?? choices[0];
  if (first) return <Navigate to={homePath(first.id)} replace />;
  if (error) return <Problem error={error} />;
  return (
    <Empty
      icon={mdiDomainOff}
      title={texts.shell.noOrganization}
      hint={
        <>
          {texts.shell.noOrganizationHint} <code>{session.user.subject}</code>
        </>
      }
    />
  );
}
