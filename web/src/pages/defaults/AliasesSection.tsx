import { mdiTagArrowRightOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, ifMatch } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { Alias } from '../../api/records';
import { OwnerChip } from '../../components/chips';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { Section } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { Empty } from '../../components/States';
import { platformOrg } from '../../session/permissions';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { AliasDialog } from './AliasDialog';
import { ShareBar } from './ShareBar';

const t = texts.defaults;

export function AliasesSection({ org }: { org: string }) {
  const mayWrite = useMay('org:aliases:write');
  const aliases = useList('aliases', org);
  const [edited, setEdited] = useState<Alias | 'new' | null>(null);
  const [removed, setRemoved] = useState<Alias | null>(null);
  const isOwn = (row: Alias) => (org === platformOrg ? row.scope === 'platform' : row.scope === 'organization');
  const columns: Column<Alias>[] = [
    {
      id: 'alias',
      label: t.alias,
      cell: (row) => (
        <>
          <strong style={{ fontWeight: 500 }}>{row.alias}</strong>
          {row.description && (
            <Typography variant="body2" color="textSecondary">
              {row.description}
            </Typography>
          )}
        </>
      ),
    },
    { id: 'targets', label: t.targets, cell: (row) => <ShareBar targets={row.targets} /> },
    {
      id: 'sticky',
      label: t.sticky,
      cell: (row) => (row.targets.length > 1 ? (t.stickyName[row.sticky] ?? row.sticky) : '—'),
    },
    { id: 'scope', label: texts.connections.scope, cell: (row) => <OwnerChip scope={row.scope} /> },
  ];
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setEdited('new')}>
      {t.addAlias}
    </Button>
  );
  return (
    <Section title={t.aliases} hint={t.aliasesHint} actions={(aliases.data?.length ?? 0) > 0 && add}>
      <RecordTable
        label={t.aliases}
        query={aliases}
        columns={columns}
        rowKey={(row) => `${row.scope}/${row.alias}`}
        {...(mayWrite
          ? {
              actions: (row: Alias) =>
                isOwn(row) && (
                  <>
                    <Button size="small" aria-label={t.editAlias(row.alias)} onClick={() => setEdited(row)}>
                      {texts.common.edit}
                    </Button>
                    <Button
                      size="small"
                      color="error"
                      aria-label={t.deleteAlias(row.alias)}
                      onClick={() => setRemoved(row)}
                    >
                      {texts.common.delete}
                    </Button>
                  </>
                ),
            }
          : {})}
        empty={<Empty icon={mdiTagArrowRightOutline} title={t.noAliases} hint={t.noAliasesHint} action={add} />}
      />
      {edited && <AliasDialog org={org} row={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {removed && <DeleteDialog org={org} row={removed} onClose={() => setRemoved(null)} />}
    </Section>
  );
}

function DeleteDialog({ org, row, onClose }: { org: string; row: Alias; onClose: () => void }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/aliases/{alias}', {
          params: { path: { org, alias: row.alias }, header: { 'If-Match': ifMatch(row.version) } },
        }),
      ),
    onSuccess: () => {
      notify(t.aliasDeleted(row.alias));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: listKey('aliases', org) }),
  });
  return (
    <ConfirmDialog
      title={t.deleteAliasTitle(row.alias)}
      text={t.deleteAliasText}
      action={texts.common.delete}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
