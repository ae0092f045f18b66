import { mdiStarOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { findDefault, readDefaults } from '../../api/defaults';
import { listKey, useList, useProviders } from '../../api/lists';
import { isStatus } from '../../api/problem';
import type { Default } from '../../api/records';
import type { Kind } from '../../api/types';
import { Age } from '../../components/Age';
import { ConflictDialog } from '../../components/ConflictDialog';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Choice, choicesOf, ModelField } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { Section } from '../../components/PageLayout';
import { type Column, RecordTable } from '../../components/RecordTable';
import { Empty } from '../../components/States';
import { useMay } from '../../session/session';
import { texts } from '../../texts';

const t = texts.defaults;

function useRefresh(org: string) {
  const queryClient = useQueryClient();
  return () => {
    void queryClient.invalidateQueries({ queryKey: listKey('defaults', org) });
    void queryClient.invalidateQueries({ queryKey: ['models', org] });
  };
}

const nameOfDefault = (row: Pick<Default, 'kind' | 'provider' | 'purpose'>) =>
  [texts.models.kind[row.kind], row.provider, row.purpose].filter(Boolean).join(', ');

export function DefaultsSection({ org }: { org: string }) {
  const mayWrite = useMay('org:defaults:write');
  const defaults = useList('defaults', org);
  const [edited, setEdited] = useState<Default | 'new' | null>(null);
  const [removed, setRemoved] = useState<Default | null>(null);
  const columns: Column<Default>[] = [
    {
      id: 'kind',
      label: t.kind,
      cell: (row) => (
        <>
          {texts.models.kind[row.kind]}
          {(row.provider || row.purpose) && (
            <Typography variant="body2" color="textSecondary">
              {[row.provider && `${t.provider}: ${row.provider}`, row.purpose && `${t.purpose}: ${row.purpose}`]
                .filter(Boolean)
                .join(' · ')}
            </Typography>
          )}
        </>
      ),
    },
    { id: 'model', label: t.model, cell: (row) => row.model },
    { id: 'changed', label: t.changed, cell: (row) => <Age at={row.updatedAt} /> },
  ];
  const add = mayWrite && (
    <Button variant="contained" onClick={() => setEdited('new')}>
      {t.setDefault}
    </Button>
  );
  return (
    <Section title={t.defaults} hint={t.defaultsHint} actions={(defaults.data?.length ?? 0) > 0 && add}>
      <RecordTable
        label={t.defaults}
        query={defaults}
        columns={columns}
        rowKey={(row) => nameOfDefault(row)}
        {...(mayWrite
          ? {
              actions: (row: Default) => (
                <>
                  <Button size="small" aria-label={t.changeOne(nameOfDefault(row))} onClick={() => setEdited(row)}>
                    {t.change}
                  </Button>
                  <Button
                    size="small"
                    color="error"
                    aria-label={t.removeOne(nameOfDefault(row))}
                    onClick={() => setRemoved(row)}
                  >
                    {t.remove}
                  </Button>
                </>
              ),
            }
          : {})}
        empty={<Empty icon={mdiStarOutline} title={t.noDefaults} hint={t.noDefaultsHint} action={add} />}
      />
      {edited && <DefaultDialog org={org} row={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {removed && <RemoveDialog org={org} row={removed} onClose={() => setRemoved(null)} />}
    </Section>
  );
}

function DefaultDialog({ org, row, onClose }: { org: string; row: Default | null; onClose: () => void }) {
  const providers = useProviders();
  const defaults = useList('defaults', org);
  const [kind, setKind] = useState<Kind>(row?.kind ?? 'generation');
  const [provider, setProvider] = useState(row?.provider ?? '');
  const [purpose, setPurpose] = useState(row?.purpose ?? '');
  const [model, setModel] = useState(row?.model ?? '');
  const [theirs, setTheirs] = useState<Default | null>(null);
  const queryClient = useQueryClient();
  const refresh = useRefresh(org);
  const of = { kind, provider, purpose: purpose.trim() };
  // What the reader sees: the row that is edited, or the default that a new one would replace.
  const now = row ?? findDefault(defaults.data, of);
  const save = useMutation({
    mutationFn: (version: number | undefined) =>
      body(
        client.PUT('/v1/orgs/{org}/defaults', {
          params: { path: { org }, header: precondition(version) },
          body: {
            kind,
            model: model.trim(),
            ...(provider ? { provider } : {}),
            ...(of.purpose ? { purpose: of.purpose } : {}),
          },
        }),
      ),
    onSuccess: () => {
      notify(t.saved(model.trim()));
      refresh();
      onClose();
    },
    onError: async (error) => {
      if (isStatus(error, 412)) setTheirs(findDefault(await readDefaults(queryClient, org), of) ?? null);
    },
  });
  return (
    <>
      <FormDialog
        title={t.setDefault}
        submit={texts.common.save}
        busy={save.isPending}
        error={theirs ? null : save.error}
        blocked={!model.trim() || defaults.isPending}
        onSubmit={() => save.mutate(now?.version)}
        onClose={onClose}
      >
        <Choice
          label={t.kind}
          value={kind}
          options={choicesOf(texts.models.kind)}
          onChange={setKind}
          disabled={!!row}
        />
        <ModelField
          org={org}
          label={t.model}
          value={model}
          onChange={setModel}
          kind={kind}
          hint={now ? t.defaultNow(now.model) : undefined}
        />
        <Choice
          label={t.provider}
          value={provider}
          disabled={!!row}
          options={[
            { value: '', label: t.anyProvider },
            ...(providers.data ?? []).map((p) => ({ value: p.id, label: p.displayName })),
          ]}
          onChange={setProvider}
        />
        <TextField
          label={t.purpose}
          value={purpose}
          disabled={!!row}
          helperText={t.purposeHint}
          onChange={(event) => setPurpose(event.target.value)}
        />
      </FormDialog>
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          made={!now}
          rows={[{ field: t.model, theirs: theirs.model, mine: model.trim() }]}
          onClose={() => setTheirs(null)}
          onTakeTheirs={() => {
            refresh();
            onClose();
          }}
          onKeepMine={() => {
            setTheirs(null);
            save.mutate(theirs.version);
          }}
        />
      )}
    </>
  );
}

function RemoveDialog({ org, row, onClose }: { org: string; row: Default; onClose: () => void }) {
  const refresh = useRefresh(org);
  const remove = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/defaults', {
          params: {
            path: { org },
            header: precondition(row.version),
            query: {
              kind: row.kind,
              ...(row.provider ? { provider: row.provider } : {}),
              ...(row.purpose ? { purpose: row.purpose } : {}),
            },
          },
        }),
      ),
    onSuccess: () => {
      notify(t.removed);
      onClose();
    },
    onSettled: refresh,
  });
  return (
    <ConfirmDialog
      title={t.removeTitle(nameOfDefault(row))}
      text={t.removeText}
      action={t.remove}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
