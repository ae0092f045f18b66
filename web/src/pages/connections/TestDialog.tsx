import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { body, client } from '../../api/client';
import type { Connection } from '../../api/records';
import { Problem } from '../../components/Problem';
import { texts } from '../../texts';
import { StagedTest, TestRunning } from './StagedTest';
import { testsKey } from './useConnections';

const t = texts.connections;

/** Tests a saved connection with its stored key. */
export function TestDialog({ org, connection, onClose }: { org: string; connection: Connection; onClose: () => void }) {
  const id = useId();
  const [model, setModel] = useState('');
  const queryClient = useQueryClient();
  const test = useMutation({
    mutationFn: () =>
      body(
        client.POST('/v1/orgs/{org}/connections/{connection}:test', {
          params: { path: { org, connection: connection.id } },
          body: model.trim() ? { model: model.trim() } : {},
        }),
      ),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: testsKey(org) }),
  });
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby={id}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate();
        }}
      >
        <DialogTitle id={id}>{t.testTitle(connection.name)}</DialogTitle>
        <DialogContent>
          <Stack sx={{ gap: 2 }}>
            <Typography color="textSecondary">{t.testHint}</Typography>
            <TextField
              label={t.testModel}
              helperText={t.testModelHint}
              value={model}
              onChange={(event) => setModel(event.target.value)}
            />
            {test.isPending ? <TestRunning /> : test.data ? <StagedTest test={test.data} /> : null}
            {test.error && !test.isPending && <Problem error={test.error} onRetry={() => test.mutate()} optional />}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{texts.common.close}</Button>
          <Button type="submit" variant="contained" disabled={test.isPending} autoFocus>
            {test.data || test.error ? t.testAgain : t.runTest}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
