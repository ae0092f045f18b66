import Alert from '@mui/material/Alert';

import { PageLayout } from '../../components/PageLayout';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { AliasesSection } from './AliasesSection';
import { DefaultsSection } from './DefaultsSection';

const t = texts.defaults;

export default function DefaultsPage() {
  const org = useOrg();
  const mayWrite = useMay('org:defaults:write');
  return (
    <PageLayout title={t.title} intro={t.intro}>
      {!mayWrite && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      <DefaultsSection org={org} />
      <AliasesSection org={org} />
    </PageLayout>
  );
}
