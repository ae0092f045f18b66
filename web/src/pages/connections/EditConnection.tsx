import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import { useState } from 'react';

import { useList, useProviders } from '../../api/lists';
import { isStatus } from '../../api/problem';
import type { Connection } from '../../api/records';
import { ConflictDialog } from '../../components/ConflictDialog';
import { Choice } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { fieldFor } from './form';
import {
  changedSettings,
  isBaseUrl,
  isName,
  patchOf,
  type Settings,
  settingLabels,
  settingsOf,
  settingText,
} from './settings';
import { readConnection, useChangeConnection } from './useConnections';

const t = texts.connections;

interface Props {
  org: string;
  connection: Connection;
  onClose: () => void;
}

export function EditConnection({ org, connection, onClose }: Props) {
  // The version that the edit began with. The list may be read again below the dialog.
  const [base, setBase] = useState(connection);
  const [settings, setSettings] = useState(() => settingsOf(connection));
  const [theirs, setTheirs] = useState<Connection | null>(null);
  const [readError, setReadError] = useState<unknown>(null);
  const change = useChangeConnection(org);
  const set = (patch: Partial<Settings>) => setSettings((before) => ({ ...before, ...patch }));

  const save = (on: Connection) => {
    setReadError(null);
    change.mutate(
      { connection: on, patch: patchOf(settingsOf(base), settings) },
      {
        onSuccess: (saved) => {
          notify(t.saved(saved.name));
          onClose();
        },
        onError: (error) => {
          if (isStatus(error, 412)) void readConnection(org, connection.id).then(setTheirs, setReadError);
        },
      },
    );
  };
  const before = settingsOf(base);
  const changed = changedSettings(before, settings);
  const error = isStatus(change.error, 412) ? readError : change.error;
  return (
    <>
      <FormDialog
        title={t.editTitle(connection.name)}
        submit={texts.common.save}
        busy={change.isPending}
        blocked={changed.length === 0 || !isName(settings.name) || !isBaseUrl(settings.baseUrl)}
        error={error}
        onSubmit={() => save(base)}
        onClose={onClose}
      >
        <TextField
          label={t.name}
          value={settings.name}
          required
          error={!isName(settings.name)}
          helperText={t.nameHint}
          onChange={(event) => set({ name: event.target.value })}
        />
        <TextField
          label={t.address}
          value={settings.baseUrl}
          required
          type="url"
          error={!isBaseUrl(settings.baseUrl)}
          helperText={t.urlHint}
          onChange={(event) => set({ baseUrl: event.target.value })}
        />
        <KeyFields org={org} provider={connection.provider} settings={settings} onChange={set} />
        <Choice
          label={t.onNew}
          value={settings.onNew}
          hint={t.onNewHint}
          options={(['disabled', 'enabled'] as const).map((value) => ({ value, label: t.onNewName[value] }))}
          onChange={(onNew) => set({ onNew })}
        />
        <TextField
          label={t.priority}
          type="number"
          value={settings.priority}
          helperText={t.priorityHint}
          onChange={(event) => set({ priority: event.target.value })}
        />
        <TextField
          label={t.weight}
          type="number"
          value={settings.weight}
          helperText={t.weightHint}
          slotProps={{ htmlInput: { min: 0 } }}
          onChange={(event) => set({ weight: event.target.value })}
        />
        <FormControlLabel
          control={
            <Switch checked={settings.syncEnabled} onChange={(event) => set({ syncEnabled: event.target.checked })} />
          }
          label={t.syncEnabled}
        />
        <TextField
          label={t.syncInterval}
          type="number"
          value={settings.syncIntervalS}
          helperText={t.syncIntervalHint}
          slotProps={{ htmlInput: { min: 60 } }}
          onChange={(event) => set({ syncIntervalS: event.target.value })}
        />
        <TextField
          label={t.include}
          multiline
          value={settings.includeGlobs}
          helperText={t.globsHint}
          onChange={(event) => set({ includeGlobs: event.target.value })}
        />
        <TextField
          label={t.exclude}
          multiline
          value={settings.excludeGlobs}
          helperText={t.globsHint}
          onChange={(event) => set({ excludeGlobs: event.target.value })}
        />
        <TextField
          label={t.slugPrefix}
          value={settings.slugPrefix}
          helperText={t.slugPrefixHint}
          slotProps={{ htmlInput: { maxLength: 64 } }}
          onChange={(event) => set({ slugPrefix: event.target.value })}
        />
      </FormDialog>
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          rows={(Object.keys(settings) as (keyof Settings)[])
            .filter((field) => settingsOf(theirs)[field] !== settings[field])
            .map((field) => ({
              field: settingLabels[field],
              theirs: settingText(field, settingsOf(theirs)),
              // What was not edited here is kept as the other person has saved it.
              mine: changed.includes(field) ? settingText(field, settings) : settingText(field, settingsOf(theirs)),
            }))}
          onClose={() => setTheirs(null)}
          onTakeTheirs={onClose}
          onKeepMine={() => {
            const on = theirs;
            setTheirs(null);
            // Their values where nothing was edited here, so that what is shown is what is saved.
            setBase(on);
            const kept = Object.fromEntries(changed.map((field) => [field, settings[field]]));
            setSettings({ ...settingsOf(on), ...kept });
            save(on);
          }}
        />
      )}
    </>
  );
}

interface KeyProps {
  org: string;
  provider: string;
  settings: Settings;
  onChange: (patch: Partial<Settings>) => void;
}

/** Which stored key is sent, and how. */
function KeyFields({ org, provider, settings, onChange }: KeyProps) {
  const mayRead = useMay('org:credentials:read');
  const providers = useProviders();
  const credentials = useList('credentials', org, { enabled: mayRead });
  const template = providers.data?.find((row) => row.id === provider);
  const types = template?.authTypes ?? [];
  const authName = fieldFor(template, settings.authType, 'authName');
  const known = types.includes(settings.authType) ? types : [...types, settings.authType];
  const fitting = (credentials.data ?? []).filter((row) => row.provider === provider && !row.revokedAt);
  const missing = settings.credentialId && !fitting.some((row) => row.id === settings.credentialId);
  return (
    <>
      <Choice
        label={t.auth}
        value={settings.authType}
        options={known.map((value) => ({ value, label: t.authType[value] }))}
        onChange={(authType) => onChange({ authType })}
      />
      {authName && (
        <TextField
          label={authName.label}
          value={settings.authName}
          placeholder={authName.default ?? ''}
          helperText={authName.help}
          onChange={(event) => onChange({ authName: event.target.value })}
        />
      )}
      {settings.authType !== 'none' && mayRead && (
        <Choice
          label={t.credential}
          value={settings.credentialId}
          options={[
            { value: '', label: t.noKey },
            ...fitting.map((row) => ({ value: row.id, label: t.keyEnding(row.label, row.last4) })),
            ...(missing ? [{ value: settings.credentialId, label: settings.credentialId }] : []),
          ]}
          onChange={(credentialId) => onChange({ credentialId })}
        />
      )}
    </>
  );
}
