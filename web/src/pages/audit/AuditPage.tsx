import { mdiClipboardTextClockOutline, mdiMagnify } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router-dom';

import { body, client } from '../../api/client';
import type { AuditEntry } from '../../api/records';
import { Age } from '../../components/Age';
import { Choice } from '../../components/fields';
import { PageLayout } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { Empty } from '../../components/States';
import { useOrg } from '../../session/session';
import { texts } from '../../texts';
import { EntryDialog } from './EntryDialog';

const t = texts.audit;
const pageSize = 50;
const names = ['action', 'target_type', 'target_id', 'actor'] as const;
type Filter = Record<(typeof names)[number], string>;

const filterFrom = (params: URLSearchParams) =>
  Object.fromEntries(names.map((name) => [name, params.get(name) ?? ''])) as Filter;
const given = (filter: Filter) =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value.trim() !== '')) as Partial<Filter>;

export function useAudit(org: string, filter: Filter) {
  return useInfiniteQuery({
    queryKey: ['audit', org, given(filter)],
    initialPageParam: '',
    queryFn: async ({ pageParam }) => {
      const page = await body(
        client.GET('/v1/orgs/{org}/audit', {
          params: {
            path: { org },
            query: { ...given(filter), page_size: pageSize, ...(pageParam ? { page_token: pageParam } : {}) },
          },
        }),
      );
      return {
        entries: page.data as unknown as AuditEntry[],
        next: page.next_page_token,
        total: page.total_size ?? page.data.length,
      };
    },
    getNextPageParam: (page) => page.next || undefined,
  });
}

export default function AuditPage() {
  const org = useOrg();
  const [params, setParams] = useSearchParams();
  const filter = filterFrom(params);
  const audit = useAudit(org, filter);
  const [opened, setOpened] = useState<AuditEntry | null>(null);
  const entries = audit.data?.pages.flatMap((page) => page.entries);
  const total = audit.data?.pages[0]?.total ?? 0;
  const filtered = Object.keys(given(filter)).length > 0;
  const setFilter = (next: Filter) => setParams(new URLSearchParams(given(next)), { replace: true });
  const columns: Column<AuditEntry>[] = [
    { id: 'when', label: t.when, cell: (row) => <Age at={row.at} /> },
    { id: 'who', label: t.who, cell: (row) => row.actor },
    { id: 'action', label: t.action, cell: (row) => <code>{row.action}</code> },
    { id: 'what', label: t.what, cell: (row) => row.targetName || row.targetId },
  ];
  return (
    <PageLayout title={t.title} intro={t.intro}>
      <FilterForm key={params.toString()} filter={filter} onFilter={setFilter} filtered={filtered} />
      <RecordTable
        label={t.title}
        query={{ data: entries, isPending: audit.isPending, error: audit.error, refetch: audit.refetch }}
        columns={columns}
        rowKey={(row) => row.id}
        actions={(row) => (
          <Button
            size="small"
            aria-label={t.detailsOf(`${row.action} ${row.targetName || row.targetId}`)}
            onClick={() => setOpened(row)}
          >
            {t.details}
          </Button>
        )}
        empty={
          filtered ? (
            <Empty icon={mdiMagnify} title={t.noMatch} hint={t.noMatchHint} />
          ) : (
            <Empty icon={mdiClipboardTextClockOutline} title={t.empty} hint={t.emptyHint} />
          )
        }
      />
      {entries && entries.length > 0 && (
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, mt: 2 }}>
          <Typography color="textSecondary" role="status">
            {t.showing(entries.length, total)}
          </Typography>
          {audit.hasNextPage && (
            <Button disabled={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
              {t.more}
            </Button>
          )}
        </Box>
      )}
      {opened && <EntryDialog entry={opened} onClose={() => setOpened(null)} />}
    </PageLayout>
  );
}

function FilterForm(props: { filter: Filter; filtered: boolean; onFilter: (filter: Filter) => void }) {
  const [filter, setFilter] = useState(props.filter);
  const set = (patch: Partial<Filter>) => setFilter({ ...filter, ...patch });
  return (
    <Box
      component="form"
      onSubmit={(event) => {
        event.preventDefault();
        props.onFilter(filter);
      }}
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr', md: 'repeat(4, 1fr) auto' },
        gap: 1.5,
        alignItems: 'start',
        mb: 2,
      }}
    >
      <Choice
        label={t.filterType}
        value={filter.target_type}
        options={[
          { value: '', label: t.anyType },
          ...Object.entries(t.type).map(([value, label]) => ({ value, label })),
        ]}
        onChange={(target_type) => set({ target_type })}
      />
      <TextField
        label={t.filterAction}
        helperText={t.actionHint}
        value={filter.action}
        onChange={(event) => set({ action: event.target.value })}
      />
      <TextField
        label={t.filterActor}
        helperText={t.actorHint}
        value={filter.actor}
        onChange={(event) => set({ actor: event.target.value })}
      />
      <TextField
        label={t.filterTarget}
        value={filter.target_id}
        onChange={(event) => set({ target_id: event.target.value })}
      />
      <Box sx={{ display: 'flex', gap: 1 }}>
        <Button type="submit" variant="outlined">
          {t.apply}
        </Button>
        {props.filtered && (
          <Button onClick={() => props.onFilter({ action: '', target_type: '', target_id: '', actor: '' })}>
            {t.clear}
          </Button>
        )}
      </Box>
    </Box>
  );
}
