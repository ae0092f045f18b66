// A model that no provider lists: a deployment of Azure, a model behind a gateway, one that is to come.
import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client } from '../../api/client';
import { useProviders } from '../../api/lists';
import { type Kind, type Model, nameOf } from '../../api/types';
import { Choice, choicesOf } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { texts } from '../../texts';
import { useConnections } from '../connections/useConnections';
import { modelsKey } from './useModels';

const t = texts.models.addOne;

interface Props {
  org: string;
  onClose: () => void;
  onAdded: (model: Model) => void;
}

export default function AddModelDialog({ org, onClose, onAdded }: Props) {
  const connections = useConnections(org);
  const providers = useProviders();
  const [modelName, setModelName] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [kind, setKind] = useState<Kind>('generation');
  const [connectionId, setConnectionId] = useState('');
  const [chosenProvider, setProvider] = useState('');
  const [enabled, setEnabled] = useState(true);
  const queryClient = useQueryClient();
  const rows = connections.data ?? [];
  const connection = rows.find((row) => row.id === connectionId);
  const provider = connection?.provider ?? chosenProvider;
  const add = useMutation({
    mutationFn: async () =>
      (await body(
        client.POST('/v1/orgs/{org}/models', {
          params: { path: { org } },
          body: {
            provider,
            modelName: modelName.trim(),
            kind,
            enabled,
            ...(displayName.trim() ? { displayName: displayName.trim() } : {}),
            ...(connection ? { deployments: [{ connectionId: connection.id }] } : {}),
          },
        }),
      )) as unknown as Model,
    onSuccess: (model) => {
      notify(t.done(nameOf(model)));
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
      onAdded(model);
    },
  });
  return (
    <FormDialog
      title={t.title}
      submit={texts.common.add}
      busy={add.isPending}
      error={add.error}
      blocked={!provider || !modelName.trim()}
      onSubmit={() => add.mutate()}
      onClose={onClose}
    >
      <Choice
        label={t.servedBy}
        value={connectionId}
        hint={connectionId ? undefined : t.notServed}
        options={[
          { value: '', label: t.noConnection },
          ...rows.map((row) => ({ value: row.id, label: `${row.name} · ${row.provider}` })),
        ]}
        onChange={setConnectionId}
      />
      {!connection && (
        <Choice
          label={texts.models.filter.provider}
          value={chosenProvider}
          options={(providers.data ?? []).map((row) => ({ value: row.id, label: row.displayName }))}
          onChange={setProvider}
        />
      )}
      <TextField
        label={t.name}
        required
        autoFocus
        value={modelName}
        helperText={t.nameHint}
        slotProps={{ htmlInput: { maxLength: 255, spellCheck: false } }}
        onChange={(event) => setModelName(event.target.value)}
      />
      <Choice label={t.kind} value={kind} options={choicesOf(texts.models.kind)} onChange={setKind} />
      <TextField
        label={texts.detail.field.displayName}
        value={displayName}
        slotProps={{ htmlInput: { maxLength: 255 } }}
        onChange={(event) => setDisplayName(event.target.value)}
      />
      <FormControlLabel
        control={<Switch checked={enabled} onChange={(event) => setEnabled(event.target.checked)} />}
        label={t.enabled}
      />
    </FormDialog>
  );
}
