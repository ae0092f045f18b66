import { mdiAccountLockOpenOutline, mdiMagnify } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { Grant } from '../../api/records';
import { Age } from '../../components/Age';
import { StateChip } from '../../components/chips';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { PageLayout, Section } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { SearchBox } from '../../components/SearchBox';
import { Empty } from '../../components/States';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { useSettings } from '../settings/useSettings';
import { ModeSection } from './ModeSection';
import { RuleDialog } from './RuleDialog';

const t = texts.access;

const whoText = (row: Grant) =>
  row.subjectKind === 'org' ? t.subjectOf.org : `${t.subjectOf[row.subjectKind]} ${row.subject ?? ''}`;
const whatText = (row: Grant) => `${t.objectOf[row.objectKind]} ${row.object ?? row.objectId}`;

export default function AccessPage() {
  const org = useOrg();
  const mayWrite = useMay('org:grants:write');
  const grants = useList('grants', org);
  const settings = useSettings(org);
  const [q, setQ] = useState('');
  const [adding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Grant | null>(null);
  const mode = settings.data?.mode ?? 'open';
  const all = grants.data ?? [];
  const rows = all.filter((row) => `${whoText(row)} ${whatText(row)}`.toLowerCase().includes(q.trim().toLowerCase()));
  const columns: Column<Grant>[] = [
    { id: 'who', label: t.who, cell: whoText },
    {
      id: 'effect',
      label: t.effect,
      cell: (row) => <StateChip tone={row.effect === 'allow' ? 'good' : 'bad'} label={t.effectName[row.effect]} />,
    },
    { id: 'what', label: t.what, cell: whatText },
    {
      id: 'by',
      label: t.by,
      cell: (row) => (
        <span>
          {row.createdBy} · <Age at={row.createdAt} />
        </span>
      ),
    },
  ];
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setAdding(true)}>
      {t.add}
    </Button>
  );
  return (
    <PageLayout title={t.title} intro={t.intro}>
      {!mayWrite && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      <ModeSection org={org} grants={all} />
      <Section title={t.rules} hint={t.rulesHint} actions={all.length > 0 && add}>
        {all.length > 8 && <SearchBox label={t.search} value={q} onChange={setQ} />}
        <RecordTable
          label={t.rules}
          query={grants}
          rows={rows}
          columns={columns}
          rowKey={(row) => row.id}
          {...(mayWrite
            ? {
                actions: (row: Grant) => (
                  <Button
                    size="small"
                    color="error"
                    aria-label={t.removeOne(whatText(row))}
                    onClick={() => setRemoved(row)}
                  >
                    {t.remove}
                  </Button>
                ),
              }
            : {})}
          empty={
            q ? (
              <Empty icon={mdiMagnify} title={texts.common.filteredOut} hint={texts.common.filteredOutHint} />
            ) : (
              <Empty icon={mdiAccountLockOpenOutline} title={t.empty} hint={t.emptyHint[mode]} action={add} />
            )
          }
        />
      </Section>
      {adding && <RuleDialog org={org} effect={mode === 'open' ? 'deny' : 'allow'} onClose={() => setAdding(false)} />}
      {removed && <RemoveDialog org={org} row={removed} onClose={() => setRemoved(null)} />}
    </PageLayout>
  );
}

function RemoveDialog({ org, row, onClose }: { org: string; row: Grant; onClose: () => void }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/grants/{grant}', {
          params: { path: { org, grant: row.id }, header: precondition(row.version) },
        }),
      ),
    onSuccess: () => {
      notify(t.removed);
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: listKey('grants', org) }),
  });
  return (
    <ConfirmDialog
      title={t.removeTitle}
      text={`${whoText(row)}: ${t.effectName[row.effect]}, ${whatText(row)}`}
      action={t.remove}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
