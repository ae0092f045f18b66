import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { body, client } from '../../api/client';
import { listKey } from '../../api/lists';
import type { Role } from '../../api/types';
import { copyText } from '../../components/copyText';
import { Choice } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { platformOrg } from '../../session/permissions';
import { texts } from '../../texts';
import { orgRoles } from '../members/roles';

const t = texts.tokens;

interface MakeProps {
  org: string;
  /** The token itself: the caller shows it and forgets it. */
  onMade: (name: string, token: string) => void;
  onClose: () => void;
}

export function MakeDialog({ org, onMade, onClose }: MakeProps) {
  const roles: readonly Role[] = org === platformOrg ? ['platform_admin'] : orgRoles;
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>(roles[0] ?? 'viewer');
  const [days, setDays] = useState('90');
  const queryClient = useQueryClient();
  const make = useMutation({
    gcTime: 0,
    // The reply has the token, so it is handed on from here: data of a mutation stays in a cache.
    mutationFn: async () => {
      const made = await body(
        client.POST('/v1/orgs/{org}/tokens', {
          params: { path: { org } },
          body: { name: name.trim(), role, ...(days ? { expiresInDays: Number(days) } : {}) },
        }),
      );
      onMade(name.trim(), made.token);
    },
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: listKey('tokens', org) }),
  });
  return (
    <FormDialog
      title={t.add}
      submit={t.add}
      busy={make.isPending}
      error={make.error}
      blocked={!name.trim()}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <TextField
        label={t.name}
        required
        value={name}
        helperText={t.nameHint}
        onChange={(event) => setName(event.target.value)}
      />
      <Choice
        label={t.role}
        value={role}
        hint={texts.shell.roleHint[role]}
        options={roles.map((value) => ({ value, label: texts.shell.role[value] }))}
        onChange={setRole}
      />
      <TextField
        label={t.days}
        type="number"
        value={days}
        slotProps={{ htmlInput: { min: 1 } }}
        onChange={(event) => setDays(event.target.value)}
      />
    </FormDialog>
  );
}

/** The token, once. Only the button closes it, so that it is not lost by a slip. */
export function MadeDialog({ name, token, onClose }: { name: string; token: string; onClose: () => void }) {
  const id = useId();
  return (
    <Dialog open fullWidth maxWidth="sm" aria-labelledby={id}>
      <DialogTitle id={id}>{t.madeTitle(name)}</DialogTitle>
      <DialogContent>
        <DialogContentText sx={{ mb: 2 }}>{t.madeText}</DialogContentText>
        <TextField
          label={t.token}
          value={token}
          fullWidth
          multiline
          slotProps={{
            input: { readOnly: true, sx: { fontFamily: 'monospace', overflowWrap: 'anywhere' } },
            htmlInput: { spellCheck: false },
          }}
          onFocus={(event) => event.target.select()}
        />
      </DialogContent>
      <DialogActions>
        <Button onClick={() => void copyText(token, t.copied, t.copyFailed)} autoFocus>
          {texts.common.copy}
        </Button>
        <Button variant="contained" onClick={onClose}>
          {t.done}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
