import { mdiAccountGroupOutline, mdiMagnify } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { Member } from '../../api/records';
import { Age } from '../../components/Age';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { PageLayout } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { SearchBox } from '../../components/SearchBox';
import { Empty } from '../../components/States';
import { useMay, useOrg, useSession } from '../../session/session';
import { texts } from '../../texts';
import { MemberDialog } from './MemberDialog';
import { permissionName } from './roles';
import { RolesSection } from './RolesSection';

const t = texts.members;
const nameOfMember = (row: Member) => row.displayName || row.subject;

export default function MembersPage() {
  const org = useOrg();
  const session = useSession();
  const mayWrite = useMay('org:members:write');
  const members = useList('members', org);
  const [q, setQ] = useState('');
  const [edited, setEdited] = useState<Member | 'new' | null>(null);
  const [removed, setRemoved] = useState<Member | null>(null);
  const all = members.data ?? [];
  const isMe = (row: Member) => row.subject === session.user.subject && row.issuer === session.user.issuer;
  const rows = all.filter((row) =>
    `${row.displayName ?? ''} ${row.subject} ${row.issuer}`.toLowerCase().includes(q.trim().toLowerCase()),
  );
  const columns: Column<Member>[] = [
    {
      id: 'name',
      label: t.name,
      cell: (row) => (
        <>
          <strong style={{ fontWeight: 500 }}>{nameOfMember(row)}</strong>
          {isMe(row) && ` (${t.you})`}
          <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: 'anywhere' }}>
            {row.displayName ? `${row.subject} · ` : ''}
            {row.issuer}
          </Typography>
        </>
      ),
    },
    {
      id: 'role',
      label: t.role,
      cell: (row) => (
        <>
          {texts.shell.role[row.role]}
          {row.denied.length > 0 && (
            <Typography variant="body2" color="textSecondary">
              {t.denied}: {row.denied.map(permissionName).join(', ')}
            </Typography>
          )}
        </>
      ),
    },
    { id: 'since', label: t.since, cell: (row) => <Age at={row.createdAt} /> },
  ];
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setEdited('new')}>
      {t.add}
    </Button>
  );
  return (
    <PageLayout title={t.title} intro={t.intro} actions={all.length > 0 && add}>
      {!mayWrite && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {texts.common.readOnly}
        </Alert>
      )}
      {all.length > 8 && <SearchBox label={t.search} value={q} onChange={setQ} />}
      <RecordTable
        label={t.title}
        query={members}
        rows={rows}
        columns={columns}
        rowKey={(row) => row.id}
        {...(mayWrite
          ? {
              actions: (row: Member) => (
                <>
                  <Button size="small" aria-label={t.edit(nameOfMember(row))} onClick={() => setEdited(row)}>
                    {texts.common.edit}
                  </Button>
                  <Button
                    size="small"
                    color="error"
                    aria-label={t.removeOne(nameOfMember(row))}
                    onClick={() => setRemoved(row)}
                  >
                    {texts.common.remove}
                  </Button>
                </>
              ),
            }
          : {})}
        empty={
          q ? (
            <Empty icon={mdiMagnify} title={texts.common.filteredOut} hint={texts.common.filteredOutHint} />
          ) : (
            <Empty icon={mdiAccountGroupOutline} title={t.empty} hint={t.emptyHint} action={add} />
          )
        }
      />
      {all.length > 0 && (
        <Typography variant="body2" color="textSecondary" sx={{ mt: 2 }}>
          {t.note}
        </Typography>
      )}
      <Box sx={{ mt: 4 }}>
        <RolesSection />
      </Box>
      {edited && (
        <MemberDialog
          org={org}
          row={edited === 'new' ? null : edited}
          issuer={session.user.issuer}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && <RemoveDialog org={org} row={removed} self={isMe(removed)} onClose={() => setRemoved(null)} />}
    </PageLayout>
  );
}

interface RemoveProps {
  org: string;
  row: Member;
  self: boolean;
  onClose: () => void;
}

function RemoveDialog({ org, row, self, onClose }: RemoveProps) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/members/{member}', {
          params: { path: { org, member: row.id }, header: precondition(row.version) },
        }),
      ),
    onSuccess: () => {
      notify(t.removed(nameOfMember(row)));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: listKey('members', org) }),
  });
  return (
    <ConfirmDialog
      title={t.removeTitle(nameOfMember(row))}
      text={self ? t.removeSelf : t.removeText}
      action={texts.common.remove}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
