import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import { useState } from 'react';

import { useList } from '../../api/lists';
import { Choice } from '../../components/fields';
import { PageLayout, Section } from '../../components/PageLayout';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { isOwn, useConnections } from '../connections/useConnections';
import { HeldChanges } from './HeldChanges';
import { RunTable } from './RunTable';
import { SyncProgress } from './SyncProgress';
import { useSyncNow } from './syncNow';

const t = texts.sync;

export default function SyncPage() {
  const org = useOrg();
  const maySync = useMay('org:sync:run');
  const [connectionId, setConnectionId] = useState('');
  const [problems, setProblems] = useState(false);
  const connections = useConnections(org);
  const runs = useList('sync-runs', org, { rowsMax: 500, refetchInterval: 15_000 });
  const sync = useSyncNow(org);
  const own = (connections.data ?? []).filter((row) => isOwn(row, org));
  const wanted = own.filter(
    (row) => row.enabled && row.syncEnabled && (connectionId === '' || row.id === connectionId),
  );
  const rows = (runs.data ?? []).filter(
    (run) => (connectionId === '' || run.connectionId === connectionId) && (!problems || run.status !== 'ok'),
  );
  const busy = wanted.length > 0 && wanted.every((row) => sync.stateOf(row.id)?.phase === 'running');
  return (
    <PageLayout
      title={t.title}
      intro={t.intro}
      actions={
        maySync &&
        own.length > 0 && (
          <Button
            variant="contained"
            disabled={busy || wanted.length === 0}
            onClick={() => wanted.forEach((row) => void sync.start(row))}
          >
            {connectionId === '' && wanted.length > 1 ? t.all : t.now}
          </Button>
        )
      }
    >
      {!maySync && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      {own.map((row) => {
        const state = sync.stateOf(row.id);
        return state ? (
          <Box key={row.id} sx={{ mb: 1 }}>
            <SyncProgress state={state} name={row.name} />
          </Box>
        ) : null;
      })}
      <Section title={t.heldTitle} hint={t.heldHint}>
        <HeldChanges org={org} />
      </Section>
      <Section title={t.runs} hint={t.runsHint}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, my: 2 }}>
          <Box sx={{ width: { xs: '100%', sm: 260 } }}>
            <Choice
              label={t.connection}
              value={connectionId}
              options={[
                { value: '', label: t.allConnections },
                ...own.map((row) => ({ value: row.id, label: row.name })),
              ]}
              onChange={setConnectionId}
            />
          </Box>
          <FormControlLabel
            control={<Switch checked={problems} onChange={(event) => setProblems(event.target.checked)} />}
            label={t.onlyProblems}
          />
        </Box>
        <RunTable query={runs} rows={rows} withConnection />
      </Section>
    </PageLayout>
  );
}
