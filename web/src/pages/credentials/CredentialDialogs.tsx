import Checkbox from '@mui/material/Checkbox';
import DialogContentText from '@mui/material/DialogContentText';
import FormControlLabel from '@mui/material/FormControlLabel';
import TextField from '@mui/material/TextField';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, precondition } from '../../api/client';
import { listKey, useProviders } from '../../api/lists';
import { ApiError, isStatus } from '../../api/problem';
import type { Credential } from '../../api/records';
import { ConflictDialog } from '../../components/ConflictDialog';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Choice } from '../../components/fields';
import { FormDialog } from '../../components/FormDialog';
import { notify } from '../../components/Notices';
import { SecretField } from '../../components/SecretField';
import { headersIn, isHalf, type SecretHeader, SecretHeaders } from '../../components/SecretHeaders';
import { texts } from '../../texts';

const t = texts.credentials;

function DaysField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <TextField
      label={t.days}
      type="number"
      value={value}
      helperText={t.daysHint}
      slotProps={{ htmlInput: { min: 1, max: 3650 } }}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

const expiry = (days: string) => (days ? { expiresInDays: Number(days) } : {});

/** The key is state of the dialog alone: it goes with it, and no cache ever has it. */
export function StoreDialog({ org, onClose }: { org: string; onClose: () => void }) {
  const providers = useProviders();
  const [provider, setProvider] = useState('');
  const [label, setLabel] = useState('');
  const [secret, setSecret] = useState('');
  const [headers, setHeaders] = useState<SecretHeader[]>([]);
  const [days, setDays] = useState('');
  const queryClient = useQueryClient();
  const store = useMutation({
    gcTime: 0,
    mutationFn: () =>
      body(
        client.POST('/v1/orgs/{org}/credentials', {
          params: { path: { org } },
          body: { provider, label: label.trim(), secret, ...headersIn(headers), ...expiry(days) },
        }),
      ),
    onSuccess: () => {
      notify(t.stored(label.trim()));
      void queryClient.invalidateQueries({ queryKey: listKey('credentials', org) });
      onClose();
    },
  });
  return (
    <FormDialog
      title={t.addTitle}
      submit={texts.common.save}
      busy={store.isPending}
      error={store.error}
      blocked={!provider || !label.trim() || !secret || headers.some(isHalf)}
      onSubmit={() => store.mutate()}
      onClose={onClose}
    >
      <Choice
        label={t.provider}
        value={provider}
        options={(providers.data ?? []).map((row) => ({ value: row.id, label: row.displayName }))}
        onChange={setProvider}
      />
      <TextField
        label={t.label}
        required
        value={label}
        helperText={t.labelHint}
        onChange={(event) => setLabel(event.target.value)}
      />
      <SecretField label={t.key} hint={t.keyHint} value={secret} onChange={setSecret} />
      <SecretHeaders rows={headers} onChange={setHeaders} />
      <DaysField value={days} onChange={setDays} />
    </FormDialog>
  );
}

interface OneProps {
  org: string;
  credential: Credential;
  onClose: () => void;
}

export function ReplaceDialog({ org, credential, onClose }: OneProps) {
  const [secret, setSecret] = useState('');
  // Names are known, values are not: what is not entered again is gone.
  const [headers, setHeaders] = useState(() => credential.headerNames.map((name) => ({ name, value: '' })));
  const [days, setDays] = useState('');
  const queryClient = useQueryClient();
  const [theirs, setTheirs] = useState<Credential | null>(null);
  const path = { org, credential: credential.id };
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: listKey('credentials', org) });
    void queryClient.invalidateQueries({ queryKey: listKey('connections', org) });
  };
  const replace = useMutation({
    gcTime: 0,
    mutationFn: (version: number) =>
      body(
        client.POST('/v1/orgs/{org}/credentials/{credential}:replace', {
          params: { path, header: precondition(version) },
          body: { secret, ...headersIn(headers), ...expiry(days) },
        }),
      ),
    onSuccess: () => {
      notify(t.replacedDone(credential.label));
      onClose();
    },
    onError: async (error) => {
      if (!isStatus(error, 412)) return;
      const now = await body(client.GET('/v1/orgs/{org}/credentials/{credential}', { params: { path } }));
      setTheirs(now as unknown as Credential);
    },
    onSettled: refresh,
  });
  return (
    <>
      <FormDialog
        title={t.replaceTitle(credential.label)}
        submit={t.replace}
        busy={replace.isPending}
        error={theirs ? null : replace.error}
        blocked={!secret || headers.some(isHalf)}
        onSubmit={() => replace.mutate(credential.version)}
        onClose={onClose}
      >
        <DialogContentText>{t.replaceText}</DialogContentText>
        <SecretField label={t.key} hint={t.keyHint} value={secret} onChange={setSecret} />
        <SecretHeaders
          rows={headers}
          hint={credential.headerNames.length > 0 ? t.headersAgain : t.headersHint}
          onChange={setHeaders}
        />
        <DaysField value={days} onChange={setDays} />
      </FormDialog>
      {theirs && (
        <ConflictDialog
          version={theirs.version}
          rows={[{ field: t.key, theirs: theirs.revokedAt ? t.revoked : t.endingOf(theirs.last4), mine: t.entered }]}
          onClose={() => setTheirs(null)}
          onTakeTheirs={onClose}
          onKeepMine={() => {
            setTheirs(null);
            replace.mutate(theirs.version);
          }}
        />
      )}
    </>
  );
}

export function RevokeDialog({ org, credential, onClose }: OneProps) {
  const [force, setForce] = useState(false);
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      body(
        client.DELETE('/v1/orgs/{org}/credentials/{credential}', {
          params: {
            path: { org, credential: credential.id },
            query: force ? { force: true } : {},
            header: precondition(credential.version),
          },
        }),
      ),
    onSuccess: () => {
      notify(t.revokedDone(credential.label));
      onClose();
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: listKey('credentials', org) });
      void queryClient.invalidateQueries({ queryKey: listKey('connections', org) });
    },
  });
  const inUse =
    credential.usedBy.length > 0 || (revoke.error instanceof ApiError && revoke.error.problem.code === 'IN_USE');
  return (
    <ConfirmDialog
      title={t.revokeTitle(credential.label)}
      text={t.revokeText}
      action={t.revoke}
      danger
      busy={revoke.isPending}
      blocked={inUse && !force}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      {credential.usedBy.length > 0 && (
        <div>
          {t.revokeUsed}
          <ul style={{ margin: '4px 0', paddingLeft: 20 }}>
            {credential.usedBy.map((name) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </div>
      )}
      {inUse && (
        <FormControlLabel
          control={<Checkbox checked={force} onChange={(event) => setForce(event.target.checked)} />}
          label={t.revokeForce}
        />
      )}
    </ConfirmDialog>
  );
}
