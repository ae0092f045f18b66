import { mdiClose } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import IconButton from '@mui/material/IconButton';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, useList, useProviders } from '../../api/lists';
import { isStatus } from '../../api/problem';
import type { View } from '../../api/records';
import { capabilityName } from '../../components/chips';
import { ConflictDialog } from '../../components/ConflictDialog';
import { Choice, choicesOf, ModelField } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { Icon } from '../../components/Icon';
import { notify } from '../../components/Notices';
import { platformOrg } from '../../session/permissions';
import { texts } from '../../texts';
import { viewKey } from '../models/useView';
import { filterOf, filterText, formOf, type ViewForm } from './viewForm';

const t = texts.views;
const tm = texts.models;
const any = { value: '' as const, label: t.any };

interface Props {
  org: string;
  /** null: a new one. */
  row: View | null;
  /** What a new one begins with, and whether that is all that the reader sees. */
  initial?: { form: ViewForm; exact: boolean };
  onClose: () => void;
  onSaved?: (name: string) => void;
}

export function ViewDialog({ org, row, initial, onClose, onSaved }: Props) {
  const [form, setForm] = useState<ViewForm>(() => initial?.form ?? formOf(row));
  const [theirs, setTheirs] = useState<View | null>(null);
  const providers = useProviders();
  const queryClient = useQueryClient();
  const set = (patch: Partial<ViewForm>) => setForm((before) => ({ ...before, ...patch }));
  const name = form.name.trim();
  const known = useList('views', org);
  // Saving a new one would replace it unseen.
  const taken =
    !row &&
    (known.data ?? []).some((other) => other.name === name && (other.scope === 'platform') === (org === platformOrg));
  const pins = form.pins.map((pin) => pin.trim()).filter(Boolean);
  const save = useMutation({
    mutationFn: (version: number | undefined) =>
      body(
        client.PUT('/v1/orgs/{org}/views/{view}', {
          params: {
            path: { org, view: name },
            header: precondition(version),
          },
          body: { filter: filterOf(form), pins, forAuto: form.forAuto },
        }),
      ),
    onSuccess: () => {
      notify(t.saved(name));
      void queryClient.invalidateQueries({ queryKey: listKey('views', org) });
      void queryClient.invalidateQueries({ queryKey: viewKey(org, name) });
      onClose();
      onSaved?.(name);
    },
    onError: (error) => {
      if (isStatus(error, 412))
        void body(client.GET('/v1/orgs/{org}/views/{view}', { params: { path: { org, view: name } } })).then(
          (now) => setTheirs(now as unknown as View),
          () => undefined,
        );
    },
  });
  return (
    <>
      <FormDialog
        title={row ? t.edit(row.name) : t.add}
        submit={texts.common.save}
        busy={save.isPending}
        error={theirs ? null : save.error}
        blocked={!name || taken}
        onSubmit={() => save.mutate(row?.version)}
        onClose={onClose}
      >
        {initial && !initial.exact && <Alert severity="info">{t.notExact}</Alert>}
        <TextField
          label={t.name}
          required
          value={form.name}
          disabled={!!row}
          error={taken}
          helperText={taken ? texts.common.nameTaken : t.nameHint}
          onChange={(event) => set({ name: event.target.value })}
        />
        <Typography variant="h3">{t.filter}</Typography>
        <Choice
          label={tm.column.kind}
          value={form.kind}
          options={[any, ...choicesOf(tm.kind)]}
          onChange={(kind) => set({ kind })}
        />
        <Choice
          label={tm.filter.provider}
          value={form.provider}
          options={[any, ...(providers.data ?? []).map((row) => ({ value: row.id, label: row.displayName }))]}
          onChange={(provider) => set({ provider })}
        />
        <Choice
          label={tm.filter.status}
          value={form.status}
          options={[any, ...choicesOf(tm.status)]}
          onChange={(status) => set({ status })}
        />
        <Choice
          label={tm.filter.scope}
          value={form.scope}
          options={[
            any,
            { value: 'platform', label: tm.scope.platform },
            { value: 'organization', label: tm.scope.organization },
          ]}
          onChange={(scope) => set({ scope })}
        />
        <Autocomplete
          multiple
          options={Object.keys(tm.capability)}
          getOptionLabel={capabilityName}
          value={form.capabilities}
          onChange={(_, capabilities) => set({ capabilities })}
          renderInput={(params) => <TextField {...params} label={t.capabilities} />}
        />
        <TextField
          label={t.tags}
          value={form.tags}
          helperText={t.tagsHint}
          onChange={(event) => set({ tags: event.target.value })}
        />
        <TextField label={t.search} value={form.q} onChange={(event) => set({ q: event.target.value })} />
        <TextField
          label={t.contextMin}
          type="number"
          value={form.contextMin}
          slotProps={{ htmlInput: { min: 0 } }}
          onChange={(event) => set({ contextMin: event.target.value })}
        />
        <Choice label={t.price} value={form.price} options={choicesOf(t.free)} onChange={(price) => set({ price })} />
        <FormControlLabel
          control={<Switch checked={form.hidden} onChange={(event) => set({ hidden: event.target.checked })} />}
          label={t.hidden}
        />
        <div>
          <Typography variant="h3">{t.pins}</Typography>
          <Typography variant="body2" color="textSecondary">
            {t.pinsHint}
          </Typography>
        </div>
        {form.pins.map((pin, i) => (
          <Box key={i} sx={{ display: 'flex', gap: 1, alignItems: 'flex-start' }}>
            <ModelField
              org={org}
              label={tm.title}
              value={pin}
              onChange={(model) => set({ pins: form.pins.map((old, at) => (at === i ? model : old)) })}
            />
            <IconButton
              aria-label={t.removePin(pin)}
              onClick={() => set({ pins: form.pins.filter((_, at) => at !== i) })}
            >
              <Icon path={mdiClose} />
            </IconButton>
          </Box>
        ))}
        <div>
          <Button onClick={() => set({ pins: [...form.pins, ''] })}>{t.addPin}</Button>
        </div>
        <div>
          <FormControlLabel
            control={<Switch checked={form.forAuto} onChange={(event) => set({ forAuto: event.target.checked })} />}
            label={t.forAuto}
          />
          <Typography variant="body2" color="textSecondary">
            {t.forAutoHint}
          </Typography>
        </div>
      </FormDialog>
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          made={!row}
          rows={[
            { field: t.filter, theirs: filterText(theirs.filter), mine: filterText(filterOf(form)) },
            { field: t.pins, theirs: theirs.pins.map((pin) => pin.model).join(', '), mine: pins.join(', ') },
            {
              field: t.forAuto,
              theirs: theirs.forAuto ? texts.common.yes : texts.common.no,
              mine: form.forAuto ? texts.common.yes : texts.common.no,
            },
          ].filter((line) => line.theirs !== line.mine)}
          onClose={() => setTheirs(null)}
          onTakeTheirs={() => {
            void queryClient.invalidateQueries({ queryKey: listKey('views', org) });
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
