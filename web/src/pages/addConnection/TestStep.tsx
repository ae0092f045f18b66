import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client } from '../../api/client';
import { listKey } from '../../api/lists';
import type { Connection } from '../../api/records';
import { notify } from '../../components/Notices';
import { Problem } from '../../components/Problem';
import { headersIn } from '../../components/SecretHeaders';
import { texts } from '../../texts';
import { StagedTest, TestRunning } from '../connections/StagedTest';
import type { Draft, Secrets } from './draft';

const t = texts.addConnection;

interface Props {
  org: string;
  draft: Draft;
  secrets: Secrets;
  onChange: (patch: Partial<Draft>) => void;
  onStored: () => void;
  onSaved: (connection: Connection) => void;
}

/** Tests the draft, then stores the key and the connection. What is stored already is not stored twice. */
export function TestStep({ org, draft, secrets, onChange, onStored, onSaved }: Props) {
  const [model, setModel] = useState('');
  const queryClient = useQueryClient();
  const withKey = draft.authType !== 'none';
  const authName = draft.authName.trim();
  const test = useMutation({
    // The key is an argument of the closure and no variable of the mutation: the cache of mutations never has it.
    gcTime: 0,
    mutationFn: () =>
      body(
        client.POST('/v1/orgs/{org}/connections:test', {
          params: { path: { org } },
          body: {
            provider: draft.provider,
            baseUrl: draft.baseUrl.trim(),
            authType: draft.authType,
            ...(authName ? { authName } : {}),
            ...(withKey && secrets.key ? { secret: secrets.key, ...headersIn(secrets.headers) } : {}),
            ...(model.trim() ? { model: model.trim() } : {}),
          },
        }),
      ),
  });
  const save = useMutation({
    gcTime: 0,
    mutationFn: async () => {
      let { credentialId } = draft;
      if (withKey && !credentialId) {
        const stored = await body(
          client.POST('/v1/orgs/{org}/credentials', {
            params: { path: { org } },
            body: {
              provider: draft.provider,
              label: draft.credentialLabel.trim() || draft.name.trim(),
              secret: secrets.key,
              ...headersIn(secrets.headers),
            },
          }),
        );
        credentialId = stored.id;
        // A connection that fails now must not make a second copy of the key.
        onChange({ credentialId });
        onStored();
        void queryClient.invalidateQueries({ queryKey: listKey('credentials', org) });
      }
      return (await body(
        client.POST('/v1/orgs/{org}/connections', {
          params: { path: { org } },
          body: {
            provider: draft.provider,
            name: draft.name.trim(),
            baseUrl: draft.baseUrl.trim(),
            authType: draft.authType,
            ...(authName ? { authName } : {}),
            ...(withKey ? { credentialId } : {}),
            onNew: draft.onNew,
          },
        }),
      )) as unknown as Connection;
    },
    onSuccess: (connection) => {
      notify(t.saved(connection.name));
      void queryClient.invalidateQueries({ queryKey: listKey('connections', org) });
      onSaved(connection);
    },
  });
  const untestable = withKey && draft.credentialId !== '' && !secrets.key;
  const failed = test.data?.stages.some((stage) => stage.status === 'failed') ?? true;
  return (
    <Stack sx={{ gap: 2, maxWidth: 640 }}>
      {untestable ? (
        <Alert severity="info">{save.error ? t.savedKey : t.storedKeyHint}</Alert>
      ) : (
        <>
          <Typography color="textSecondary">{t.testHint}</Typography>
          <TextField
            label={texts.connections.testModel}
            helperText={texts.connections.testModelHint}
            value={model}
            onChange={(event) => setModel(event.target.value)}
          />
        </>
      )}
      {test.isPending ? <TestRunning /> : test.data ? <StagedTest test={test.data} /> : null}
      {test.error && !test.isPending && <Problem error={test.error} onRetry={() => test.mutate()} optional />}
      {save.error && !save.isPending && <Problem error={save.error} onRetry={() => save.mutate()} />}
      <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
        {!untestable && (
          <Button variant={failed ? 'contained' : 'outlined'} disabled={test.isPending} onClick={() => test.mutate()}>
            {test.data || test.error ? t.testAgain : t.test}
          </Button>
        )}
        <Button
          variant={failed && !untestable ? 'outlined' : 'contained'}
          disabled={save.isPending || test.isPending}
          onClick={() => save.mutate()}
        >
          {save.isPending ? t.saving : failed && test.data ? t.saveAnyway : t.save}
        </Button>
      </Stack>
    </Stack>
  );
}
