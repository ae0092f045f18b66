import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import Stack from '@mui/material/Stack';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';

import { isStatus } from '../../api/problem';
import type { OrganizationSettings } from '../../api/records';
import { ConflictDialog } from '../../components/ConflictDialog';
import { Choice, choicesOf } from '../../components/fields';
import { notify } from '../../components/Notices';
import { PageLayout } from '../../components/PageLayout';
import { Problem } from '../../components/Problem';
import { Skeletons } from '../../components/States';
import { useMay, useOrg } from '../../session/session';
import { texts } from '../../texts';
import { readSettings, useChangeSettings, useSettings } from './useSettings';

const t = texts.settings;
const fields = ['displayName', 'mode', 'strictDefault'] as const;
type Editable = Pick<OrganizationSettings, (typeof fields)[number]>;

export default function SettingsPage() {
  const org = useOrg();
  const settings = useSettings(org);
  return (
    <PageLayout title={t.title} intro={t.intro}>
      {settings.isPending ? (
        <Skeletons rows={4} />
      ) : !settings.data ? (
        <Problem error={settings.error} onRetry={() => void settings.refetch()} />
      ) : (
        <SettingsForm key={org} org={org} saved={settings.data} />
      )}
    </PageLayout>
  );
}

function SettingsForm({ org, saved }: { org: string; saved: OrganizationSettings }) {
  const mayWrite = useMay('org:settings:write');
  // What is edited, and the version that the edit began with.
  const [base, setBase] = useState(saved);
  const [form, setForm] = useState<Editable>(saved);
  const [theirs, setTheirs] = useState<OrganizationSettings | null>(null);
  const [readError, setReadError] = useState<unknown>(null);
  const change = useChangeSettings(org);
  const set = (patch: Partial<Editable>) => setForm((before) => ({ ...before, ...patch }));
  const changed = fields.filter((field) => form[field] !== base[field]);
  const begin = (from: OrganizationSettings) => {
    setBase(from);
    setForm(from);
    setTheirs(null);
  };
  const save = (version: number) => {
    setReadError(null);
    change.mutate(
      { version, patch: Object.fromEntries(changed.map((field) => [field, form[field]])) },
      {
        onSuccess: (now) => {
          notify(t.saved);
          begin(now);
        },
        onError: (error) => {
          if (isStatus(error, 412)) void readSettings(org).then(setTheirs, setReadError);
        },
      },
    );
  };
  const shown = (field: keyof Editable, of: Editable) =>
    field === 'mode'
      ? texts.access.modeName[of.mode]
      : field === 'strictDefault'
        ? of.strictDefault
          ? texts.common.yes
          : texts.common.no
        : of.displayName;
  const error = isStatus(change.error, 412) ? readError : change.error;
  return (
    <Stack
      component="form"
      sx={{ gap: 2.5, maxWidth: 560 }}
      onSubmit={(event) => {
        event.preventDefault();
        if (changed.length > 0) save(base.version);
      }}
    >
      {!mayWrite && <Alert severity="info">{texts.common.readOnly}</Alert>}
      <TextField label={t.id} value={saved.id} helperText={t.idHint} slotProps={{ input: { readOnly: true } }} />
      <TextField
        label={t.displayName}
        value={form.displayName}
        disabled={!mayWrite}
        helperText={t.displayNameHint}
        onChange={(event) => set({ displayName: event.target.value })}
      />
      <Choice
        label={t.mode}
        value={form.mode}
        disabled={!mayWrite}
        hint={texts.access.modeHint[form.mode]}
        options={choicesOf(texts.access.modeName)}
        onChange={(mode) => set({ mode })}
      />
      <div>
        <FormControlLabel
          control={
            <Switch
              checked={form.strictDefault}
              disabled={!mayWrite}
              onChange={(event) => set({ strictDefault: event.target.checked })}
            />
          }
          label={t.strictDefault}
        />
        <Typography variant="body2" color="textSecondary">
          {form.strictDefault ? t.strictDefaultHint.on : t.strictDefaultHint.off}
        </Typography>
      </div>
      {error ? <Problem error={error} onRetry={() => save(base.version)} /> : null}
      {mayWrite && (
        <div>
          <Button type="submit" variant="contained" disabled={changed.length === 0 || change.isPending}>
            {change.isPending ? texts.common.saving : t.save}
          </Button>
        </div>
      )}
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          rows={fields
            .filter((field) => changed.includes(field) || theirs[field] !== base[field])
            .map((field) => ({
              field: t[field],
              theirs: shown(field, theirs),
              mine: changed.includes(field) ? shown(field, form) : shown(field, theirs),
            }))}
          onClose={() => setTheirs(null)}
          onTakeTheirs={() => begin(theirs)}
          onKeepMine={() => {
            setTheirs(null);
            save(theirs.version);
          }}
        />
      )}
    </Stack>
  );
}
