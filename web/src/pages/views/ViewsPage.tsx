import { mdiFilterOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import { useState } from 'react';
import { Link as RouterLink } from 'react-router-dom';

import { useList } from '../../api/lists';
import type { View } from '../../api/records';
import { OwnerChip } from '../../components/chips';
import { PageLayout } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { Empty } from '../../components/States';
import { orgPath } from '../../paths';
import { platformOrg } from '../../session/permissions';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { DeleteViewDialog } from './DeleteViewDialog';
import { ViewDialog } from './ViewDialog';
import { filterText } from './viewForm';

const t = texts.views;

export default function ViewsPage() {
  const org = useOrg();
  const mayWrite = useMay('org:models:write');
  const views = useList('views', org);
  const [edited, setEdited] = useState<View | 'new' | null>(null);
  const [removed, setRemoved] = useState<View | null>(null);
  const isOwn = (row: View) => (org === platformOrg ? row.scope === 'platform' : row.scope === 'organization');
  const columns: Column<View>[] = [
    {
      id: 'name',
      label: t.name,
      cell: (row) => (
        <Link
          component={RouterLink}
          to={`${orgPath(org, 'models')}?view=${encodeURIComponent(row.name)}`}
          title={t.show}
        >
          {row.name}
        </Link>
      ),
    },
    { id: 'filter', label: t.filter, cell: (row) => filterText(row.filter) },
    { id: 'pins', label: t.pins, cell: (row) => row.pins.map((pin) => pin.model).join(', ') || '—' },
    { id: 'forAuto', label: t.auto, cell: (row) => (row.forAuto ? t.source : '—') },
    { id: 'scope', label: texts.connections.scope, cell: (row) => <OwnerChip scope={row.scope} /> },
  ];
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setEdited('new')}>
      {t.add}
    </Button>
  );
  return (
    <PageLayout title={t.title} intro={t.intro} actions={(views.data?.length ?? 0) > 0 && add}>
      {!mayWrite && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      <RecordTable
        label={t.title}
        query={views}
        columns={columns}
        rowKey={(row) => `${row.scope}/${row.name}`}
        optional
        {...(mayWrite
          ? {
              actions: (row: View) =>
                isOwn(row) && (
                  <>
                    <Button size="small" aria-label={t.edit(row.name)} onClick={() => setEdited(row)}>
                      {texts.common.edit}
                    </Button>
                    <Button size="small" color="error" aria-label={t.remove(row.name)} onClick={() => setRemoved(row)}>
                      {texts.common.delete}
                    </Button>
                  </>
                ),
            }
          : {})}
        empty={<Empty icon={mdiFilterOutline} title={t.empty} hint={t.emptyHint} action={add} />}
      />
      {edited && <ViewDialog org={org} row={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {removed && <DeleteViewDialog org={org} row={removed} onClose={() => setRemoved(null)} />}
    </PageLayout>
  );
}
