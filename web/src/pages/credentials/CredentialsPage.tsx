import { mdiKeyOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';

import { useList, useProviders } from '../../api/lists';
import type { Credential } from '../../api/records';
import { Age } from '../../components/Age';
import { StateChip } from '../../components/chips';
import { PageLayout } from '../../components/PageLayout';
import type { Column } from '../../components/RecordTable';
import { RevocableTable } from '../../components/RevocableTable';
import { Empty } from '../../components/States';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { ReplaceDialog, RevokeDialog, StoreDialog } from './CredentialDialogs';

const t = texts.credentials;
const soonMs = 14 * 86_400_000;

type Opened = { kind: 'store' } | { kind: 'replace' | 'revoke'; credential: Credential } | null;

export function ExpiryText({ row, now = Date.now() }: { row: Credential; now?: number }) {
  if (row.revokedAt) return <StateChip tone="bad" label={t.revoked} />;
  if (!row.expiresAt) return <>{t.noExpiry}</>;
  const left = Date.parse(row.expiresAt) - now;
  if (left <= 0) return <StateChip tone="bad" label={t.expired} />;
  return left < soonMs ? (
    <strong>
      <Age at={row.expiresAt} />
    </strong>
  ) : (
    <Age at={row.expiresAt} />
  );
}

export default function CredentialsPage() {
  const org = useOrg();
  const mayWrite = useMay('org:credentials:write');
  const credentials = useList('credentials', org);
  const providers = useProviders();
  const [opened, setOpened] = useState<Opened>(null);
  const all = credentials.data ?? [];
  const close = () => setOpened(null);
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setOpened({ kind: 'store' })}>
      {t.add}
    </Button>
  );
  const columns: Column<Credential>[] = [
    {
      id: 'label',
      label: t.label,
      cell: (row) => (
        <>
          <strong style={{ fontWeight: 500 }}>{row.label}</strong>
          <Typography variant="body2" color="textSecondary">
            {providers.data?.find((provider) => provider.id === row.provider)?.displayName ?? row.provider}
          </Typography>
        </>
      ),
    },
    {
      id: 'ending',
      label: t.ending,
      cell: (row) => (
        <>
          {row.last4 ? <code>{t.endingOf(row.last4)}</code> : '—'}
          {row.headerNames.length > 0 && (
            <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: 'anywhere' }}>
              {t.withHeaders(row.headerNames.join(', '))}
            </Typography>
          )}
        </>
      ),
    },
    {
      id: 'age',
      label: t.age,
      cell: (row) => (
        <>
          <Age at={row.updatedAt} />
          {row.secretVersion > 1 && (
            <Typography variant="body2" color="textSecondary">
              {t.replaced(row.secretVersion)}
            </Typography>
          )}
        </>
      ),
    },
    { id: 'expires', label: t.expires, cell: (row) => <ExpiryText row={row} /> },
    { id: 'used', label: t.usedBy, cell: (row) => row.usedBy.join(', ') || t.unused },
  ];
  return (
    <PageLayout title={t.title} intro={t.intro} actions={all.length > 0 && add}>
      <RevocableTable
        label={t.title}
        query={credentials}
        columns={columns}
        mayWrite={mayWrite}
        showRevoked={t.showRevoked}
        actions={(row) => (
          <>
            <Button
              size="small"
              aria-label={t.replaceOne(row.label)}
              onClick={() => setOpened({ kind: 'replace', credential: row })}
            >
              {t.replace}
            </Button>
            <Button
              size="small"
              color="error"
              aria-label={t.revokeOne(row.label)}
              onClick={() => setOpened({ kind: 'revoke', credential: row })}
            >
              {t.revoke}
            </Button>
          </>
        )}
        empty={<Empty icon={mdiKeyOutline} title={t.empty} hint={t.emptyHint} action={add} />}
      />
      {opened?.kind === 'store' && <StoreDialog org={org} onClose={close} />}
      {opened?.kind === 'replace' && <ReplaceDialog org={org} credential={opened.credential} onClose={close} />}
      {opened?.kind === 'revoke' && <RevokeDialog org={org} credential={opened.credential} onClose={close} />}
    </PageLayout>
  );
}
