import { mdiArrowLeft, mdiLanDisconnect } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import Paper from '@mui/material/Paper';
import type { ReactNode } from 'react';
import { Link as RouterLink, useNavigate, useParams } from 'react-router-dom';

import { useList, useProviders } from '../../api/lists';
import { Age } from '../../components/Age';
import { OwnerChip } from '../../components/chips';
import { Icon } from '../../components/Icon';
import { PageLayout, Section } from '../../components/PageLayout';
import { Problem } from '../../components/Problem';
import { Empty, Skeletons } from '../../components/States';
import { formatNumber } from '../../format';
import { orgPath } from '../../paths';
import { useOrg } from '../../session/session';
import { texts } from '../../texts';
import { attentionTo } from '../overview/attention';
import { RunTable } from '../sync/RunTable';
import { SyncProgress } from '../sync/SyncProgress';
import { useSyncNow } from '../sync/syncNow';
import { HealthChip, LastSyncText, LastTestText } from './ConnectionState';
import { ConnectionActions } from './RowMenu';
import { isOwn, useConnections, useLastTests } from './useConnections';

const t = texts.connections;

/** One connection with everything that is known of it. */
export default function ConnectionPage() {
  const org = useOrg();
  const { connection: id = '' } = useParams();
  const navigate = useNavigate();
  const connections = useConnections(org);
  const providers = useProviders();
  const runs = useList('sync-runs', org, { rowsMax: 200 });
  const { mayRead, lastTest } = useLastTests(org);
  const sync = useSyncNow(org);
  const connection = connections.data?.find((row) => row.id === id || row.name === id);
  const listPath = orgPath(org, 'connections');
  const back = (
    <Button component={RouterLink} to={listPath} startIcon={<Icon path={mdiArrowLeft} />} sx={{ ml: -1, mb: 1 }}>
      {t.all}
    </Button>
  );
  if (!connection) {
    return (
      <PageLayout title={t.title} back={back}>
        {connections.isPending ? (
          <Skeletons rows={3} />
        ) : connections.error ? (
          <Problem error={connections.error} onRetry={() => void connections.refetch()} />
        ) : (
          <Empty icon={mdiLanDisconnect} title={t.notFound} hint={t.notFoundHint} />
        )}
      </PageLayout>
    );
  }
  const attention = attentionTo(connection);
  const template = providers.data?.find((row) => row.id === connection.provider);
  const facts: [string, ReactNode][] = [
    [t.state, <HealthChip key="state" connection={connection} />],
    [t.lastSync, <LastSyncText key="sync" connection={connection} />],
    ...(mayRead
      ? [[t.lastTest, <LastTestText key="test" test={lastTest(connection.id)} />] as [string, ReactNode]]
      : []),
    [t.provider, template?.displayName ?? connection.provider],
    [t.address, connection.baseUrl],
    [t.key, connection.credential ? t.keyEnding(connection.credential.label, connection.credential.last4) : t.noKey],
    [t.auth, t.authType[connection.authType]],
    [t.scope, <OwnerChip key="scope" scope={connection.scope} />],
    [t.onNew, t.onNewName[connection.onNew]],
    [
      t.syncEnabled,
      !connection.syncEnabled
        ? texts.common.no
        : connection.syncIntervalS
          ? t.every(formatNumber(connection.syncIntervalS))
          : t.serverInterval,
    ],
    [t.priority, formatNumber(connection.priority)],
    [t.weight, formatNumber(connection.weight)],
    ...(connection.slugPrefix ? [[t.slugPrefix, connection.slugPrefix] as [string, ReactNode]] : []),
    ...(connection.includeGlobs.length ? [[t.include, connection.includeGlobs.join(', ')] as [string, ReactNode]] : []),
    ...(connection.excludeGlobs.length ? [[t.exclude, connection.excludeGlobs.join(', ')] as [string, ReactNode]] : []),
    [t.created, <Age key="created" at={connection.createdAt} />],
    [t.updated, <Age key="updated" at={connection.updatedAt} />],
  ];
  return (
    <PageLayout
      title={connection.name}
      back={back}
      actions={<ConnectionActions org={org} connection={connection} wide onDeleted={() => void navigate(listPath)} />}
    >
      {attention && (
        <Alert severity={attention.severity} sx={{ mb: 2 }}>
          <strong>{attention.title}</strong>
          <div>{attention.fix}</div>
        </Alert>
      )}
      <Box sx={{ mb: 2 }}>
        <SyncProgress state={sync.stateOf(connection.id)} name={connection.name} />
      </Box>
      <Section
        title={t.settings}
        hint={isOwn(connection, org) ? undefined : t.platformNote}
        actions={
          <Link
            component={RouterLink}
            to={`${orgPath(org, 'models')}?provider=${encodeURIComponent(connection.provider)}`}
          >
            {t.showModels}
          </Link>
        }
      >
        <Paper variant="outlined" sx={{ p: 2 }}>
          <Facts facts={facts} />
        </Paper>
      </Section>
      {isOwn(connection, org) && (
        <Section title={t.recentRuns}>
          <RunTable
            query={runs}
            rows={(runs.data ?? []).filter((run) => run.connectionId === connection.id).slice(0, 20)}
            withConnection={false}
          />
        </Section>
      )}
    </PageLayout>
  );
}

function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <Box
      component="dl"
      sx={{ m: 0, display: 'grid', gridTemplateColumns: { xs: '1fr', sm: '220px 1fr' }, columnGap: 2, rowGap: 1 }}
    >
      {facts.map(([name, value]) => (
        <Box key={name} sx={{ display: 'contents' }}>
          <Box component="dt" sx={{ color: 'text.secondary', fontSize: { xs: '0.8rem', sm: 'inherit' } }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, overflowWrap: 'anywhere', mb: { xs: 0.5, sm: 0 } }}>
            {value}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
