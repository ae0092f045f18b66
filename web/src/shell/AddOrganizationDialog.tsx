import TextField from '@mui/material/TextField';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client } from '../api/client';
import { FormDialog } from '../components/FormDialog';
import { texts } from '../texts';
import { idFrom, isId } from './organizationId';

const t = texts.shell.newOrganization;

interface Props {
  onAdded: (id: string, name: string) => void;
  onClose: () => void;
}

export default function AddOrganizationDialog({ onAdded, onClose }: Props) {
  const [name, setName] = useState('');
  // Follows the name until it is typed.
  const [typedId, setTypedId] = useState<string | null>(null);
  const id = typedId ?? idFrom(name);
  const adding = useMutation({
    mutationFn: () => body(client.POST('/v1/orgs', { body: { id, displayName: name.trim() } })),
    onSuccess: (made) => onAdded(made.id, made.displayName || made.id),
  });
  return (
    <FormDialog
      title={t.title}
      submit={texts.common.add}
      busy={adding.isPending}
      error={adding.error}
      blocked={!isId(id)}
      onSubmit={() => adding.mutate()}
      onClose={onClose}
    >
      <TextField
        label={t.name}
        value={name}
        helperText={t.nameHint}
        autoFocus
        slotProps={{ htmlInput: { maxLength: 255 } }}
        onChange={(event) => setName(event.target.value)}
      />
      <TextField
        label={t.id}
        required
        value={id}
        error={id !== '' && !isId(id)}
        helperText={t.idHint}
        onChange={(event) => setTypedId(event.target.value)}
      />
    </FormDialog>
  );
}
