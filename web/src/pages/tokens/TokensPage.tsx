import { mdiRobotOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { Token } from '../../api/records';
import { Age } from '../../components/Age';
import { StateChip } from '../../components/chips';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { PageLayout } from '../../components/PageLayout';
import type { Column } from '../../components/RecordTable';
import { RevocableTable } from '../../components/RevocableTable';
import { Empty } from '../../components/States';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { MadeDialog, MakeDialog } from './TokenDialogs';

const t = texts.tokens;

export function TokenState({ row, now = Date.now() }: { row: Token; now?: number }) {
  if (row.revokedAt) return <StateChip tone="bad" label={t.revoked} />;
  if (row.expiresAt && Date.parse(row.expiresAt) <= now) return <StateChip tone="bad" label={t.expired} />;
  return <StateChip tone="good" label={t.active} />;
}

export default function TokensPage() {
  const org = useOrg();
  const mayWrite = useMay('org:members:write');
  const tokens = useList('tokens', org);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<{ name: string; token: string } | null>(null);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const all = tokens.data ?? [];
  const columns: Column<Token>[] = [
    { id: 'name', label: t.name, cell: (row) => <strong style={{ fontWeight: 500 }}>{row.name}</strong> },
    { id: 'role', label: t.role, cell: (row) => texts.shell.role[row.role] },
    { id: 'state', label: t.state, cell: (row) => <TokenState row={row} /> },
    { id: 'expires', label: t.expires, cell: (row) => (row.expiresAt ? <Age at={row.expiresAt} /> : t.noExpiry) },
    {
      id: 'used',
      label: t.lastUsed,
      cell: (row) => (row.lastUsedAt ? <Age at={row.lastUsedAt} /> : texts.common.never),
    },
    {
      id: 'created',
      label: t.created,
      cell: (row) => (
        <span>
          <Age at={row.createdAt} /> {t.by(row.createdBy)}
        </span>
      ),
    },
  ];
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setMaking(true)}>
      {t.add}
    </Button>
  );
  return (
    <PageLayout title={t.title} intro={t.intro} actions={all.length > 0 && add}>
      <RevocableTable
        label={t.title}
        query={tokens}
        columns={columns}
        mayWrite={mayWrite}
        showRevoked={t.showRevoked}
        actions={(row) => (
          <Button size="small" color="error" aria-label={t.revokeOne(row.name)} onClick={() => setRevoked(row)}>
            {t.revoke}
          </Button>
        )}
        empty={<Empty icon={mdiRobotOutline} title={t.empty} hint={t.emptyHint} action={add} />}
      />
      {making && (
        <MakeDialog
          org={org}
          onMade={(name, token) => {
            setMaking(false);
            setMade({ name, token });
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {made && <MadeDialog {...made} onClose={() => setMade(null)} />}
      {revoked && <RevokeDialog org={org} row={revoked} onClose={() => setRevoked(null)} />}
    </PageLayout>
  );
}

function RevokeDialog({ org, row, onClose }: { org: string; row: Token; onClose: () => void }) {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      body(client.DELETE('/v1/orgs/{org}/tokens/{token}', { params: { path: { org, token: row.id } } })),
    onSuccess: () => {
      notify(t.revokedDone(row.name));
      onClose();
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: listKey('tokens', org) }),
  });
  return (
    <ConfirmDialog
      title={t.revokeTitle(row.name)}
      text={t.revokeText}
      action={t.revoke}
      danger
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  );
}
