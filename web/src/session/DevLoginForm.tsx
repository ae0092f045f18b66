import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Role, SessionOptions } from '../api/types';
import { Problem } from '../components/Problem';
import { keptValue } from '../store';
import { texts } from '../texts';
import { logInDev, sessionQuery } from './session';

const lastLogin = keptValue<{ user: string; org: string; role: Role }>('devLogin', {
  user: 'admin',
  org: '',
  role: 'platform_admin',
});

/** The login of dev mode: anyone may be anyone. */
export function DevLoginForm({ options, onEntered }: { options: SessionOptions; onEntered?: () => void }) {
  const [form, setForm] = useState(lastLogin.get());
  const queryClient = useQueryClient();
  const entering = useMutation({
    mutationFn: () => logInDev(form.user.trim(), form.org.trim(), form.role),
    onSuccess: (state) => {
      lastLogin.set(form);
      queryClient.setQueryData(sessionQuery.queryKey, state);
      onEntered?.();
    },
  });
  const inOrg = form.role !== 'platform_admin';
  return (
    <Stack
      component="form"
      sx={{ gap: 2 }}
      onSubmit={(event) => {
        event.preventDefault();
        entering.mutate();
      }}
    >
      <TextField
        label={texts.login.user}
        value={form.user}
        onChange={(e) => setForm({ ...form, user: e.target.value })}
        autoComplete="username"
        required
        autoFocus
        slotProps={{ htmlInput: { maxLength: 200 } }}
      />
      <TextField
        select
        label={texts.login.role}
        value={form.role}
        onChange={(e) => setForm({ ...form, role: e.target.value as Role })}
      >
        {options.devRoles.map((role) => (
          <MenuItem key={role} value={role}>
            {texts.shell.role[role]}
          </MenuItem>
        ))}
      </TextField>
      {inOrg && (
        <TextField
          label={texts.login.organization}
          helperText={texts.login.organizationHint}
          value={form.org}
          onChange={(e) => setForm({ ...form, org: e.target.value })}
          autoComplete="organization"
          required
        />
      )}
      {entering.error && <Problem error={entering.error} onRetry={() => entering.mutate()} />}
      <Button type="submit" variant="contained" size="large" disabled={entering.isPending}>
        {texts.login.submit}
      </Button>
    </Stack>
  );
}
