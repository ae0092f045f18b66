import { mdiLanDisconnect, mdiMagnify } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { Link as RouterLink } from 'react-router-dom';

import { useProviders } from '../../api/lists';
import type { Connection } from '../../api/records';
import { OwnerChip } from '../../components/chips';
import { PageLayout } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { SearchBox } from '../../components/SearchBox';
import { Empty } from '../../components/States';
import { orgPath } from '../../paths';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { SyncProgress } from '../sync/SyncProgress';
import { useSyncNow } from '../sync/syncNow';
import { HealthChip, LastSyncText, LastTestText } from './ConnectionState';
import { ConnectionActions } from './RowMenu';
import { isOwn, useConnections, useLastTests } from './useConnections';

const t = texts.connections;

export default function ConnectionsPage() {
  const org = useOrg();
  const [q, setQ] = useState('');
  const connections = useConnections(org);
  const providers = useProviders();
  const { mayRead, lastTest } = useLastTests(org);
  const mayWrite = useMay('org:connections:write');
  const sync = useSyncNow(org);
  const all = connections.data ?? [];
  const providerName = (id: string) => providers.data?.find((row) => row.id === id)?.displayName ?? id;
  const rows = all.filter((row) =>
    `${row.name} ${row.provider} ${row.baseUrl}`.toLowerCase().includes(q.trim().toLowerCase()),
  );
  const add = mayWrite && (
    <Button variant="contained" component={RouterLink} to={orgPath(org, 'connections', 'new')}>
      {t.add}
    </Button>
  );
  const columns: Column<Connection>[] = [
    {
      id: 'name',
      label: t.name,
      cell: (row) => (
        <Box sx={{ minWidth: 0 }}>
          <Link
            component={RouterLink}
            to={orgPath(org, 'connections', row.id)}
            underline="hover"
            sx={{ fontWeight: 500 }}
          >
            {row.name}
          </Link>
          <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: 'anywhere' }}>
            {providerName(row.provider)} · {row.baseUrl}
          </Typography>
        </Box>
      ),
    },
    { id: 'state', label: t.state, cell: (row) => <HealthChip connection={row} /> },
    { id: 'sync', label: t.lastSync, cell: (row) => <LastSyncText connection={row} /> },
    ...(mayRead
      ? [
          {
            id: 'test',
            label: t.lastTest,
            cell: (row: Connection) => (isOwn(row, org) ? <LastTestText test={lastTest(row.id)} /> : '—'),
          },
        ]
      : []),
    { id: 'scope', label: t.scope, cell: (row) => <OwnerChip scope={row.scope} /> },
  ];
  return (
    <PageLayout title={t.title} intro={t.intro} actions={all.length > 0 && add}>
      {!mayWrite && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      {all.length > 5 && <SearchBox label={t.search} value={q} onChange={setQ} />}
      {all.map((row) => {
        const state = sync.stateOf(row.id);
        return state ? (
          <Box key={row.id} sx={{ mb: 1 }}>
            <SyncProgress state={state} name={row.name} />
          </Box>
        ) : null;
      })}
      <RecordTable
        label={t.title}
        query={connections}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        muted={(row) => !row.enabled}
        actions={(row) => <ConnectionActions org={org} connection={row} />}
        empty={
          q ? (
            <Empty icon={mdiMagnify} title={texts.common.filteredOut} hint={texts.common.filteredOutHint} />
          ) : (
            <Empty icon={mdiLanDisconnect} title={t.empty} hint={t.emptyHint} action={add} />
          )
        }
      />
      {all.some((row) => !isOwn(row, org)) && (
        <Typography variant="body2" color="textSecondary" sx={{ mt: 2 }}>
          {t.platformNote}
        </Typography>
      )}
    </PageLayout>
  );
}
