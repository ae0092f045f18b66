import { mdiCheckDecagramOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { part, request } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import { isMissingRoute } from '../../api/problem';
import type { HeldChange } from '../../api/records';
import { Age } from '../../components/Age';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Diff } from '../../components/Diff';
import { Icon } from '../../components/Icon';
import { notify } from '../../components/Notices';
import { Problem } from '../../components/Problem';
import { Skeletons } from '../../components/States';
import { useMay } from '../../session/session';
import { texts } from '../../texts';

const t = texts.sync;
type Decision = 'accept' | 'reject';

/** What waits for a decision, why, and what it would change. */
export function HeldChanges({ org }: { org: string }) {
  const held = useList('held-changes', org);
  const mayDecide = useMay('org:connections:write');
  const [asked, setAsked] = useState<{ change: HeldChange; decision: Decision } | null>(null);
  if (held.isPending) return <Skeletons rows={2} />;
  if (held.error && !held.data) return <Problem error={held.error} onRetry={() => void held.refetch()} optional />;
  return (
    <>
      {held.error ? <Problem error={held.error} onRetry={() => void held.refetch()} /> : null}
      {held.data?.length === 0 && (
        <Typography color="textSecondary" sx={{ display: 'flex', gap: 1 }}>
          <Icon path={mdiCheckDecagramOutline} />
          {t.noHeld}
        </Typography>
      )}
      {held.data?.map((change) => (
        <Paper key={change.id} variant="outlined" sx={{ p: 2, mb: 1.5 }}>
          <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, alignItems: 'flex-start' }}>
            <Box sx={{ flex: '1 1 260px', minWidth: 0 }}>
              <Typography variant="h3" sx={{ overflowWrap: 'anywhere' }}>
                {change.model ?? t.heldWhole} · {change.connection ?? change.catalog}
              </Typography>
              <Typography>{change.reason}</Typography>
              <Typography variant="body2" color="textSecondary">
                <Age at={change.since} />
              </Typography>
            </Box>
            {mayDecide && (
              <>
                <Button variant="contained" onClick={() => setAsked({ change, decision: 'accept' })}>
                  {t.accept}
                </Button>
                <Button variant="outlined" onClick={() => setAsked({ change, decision: 'reject' })}>
                  {t.reject}
                </Button>
              </>
            )}
          </Box>
          <Diff label={t.change} before={change.before} after={change.after} />
        </Paper>
      ))}
      {asked && <DecideDialog org={org} {...asked} onClose={() => setAsked(null)} />}
    </>
  );
}

interface DecideProps {
  org: string;
  change: HeldChange;
  decision: Decision;
  onClose: () => void;
}

function DecideDialog({ org, change, decision, onClose }: DecideProps) {
  const [reason, setReason] = useState('');
  const queryClient = useQueryClient();
  const accept = decision === 'accept';
  const decide = useMutation({
    mutationFn: () =>
      request('POST', `/v1/orgs/${part(org)}/held-changes/${part(change.id)}:decide`, {
        json: { decision, ...(reason.trim() ? { reason: reason.trim() } : {}) },
      }),
    onSuccess: () => {
      notify(accept ? t.accepted : t.rejected);
      onClose();
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: listKey('held-changes', org) });
      void queryClient.invalidateQueries({ queryKey: ['models', org] });
    },
  });
  const cannot = isMissingRoute(decide.error);
  return (
    <ConfirmDialog
      title={accept ? t.acceptTitle : t.rejectTitle}
      text={accept ? t.acceptText : t.rejectText}
      action={accept ? t.accept : t.reject}
      busy={decide.isPending}
      error={cannot ? null : decide.error}
      onConfirm={() => decide.mutate()}
      onClose={onClose}
    >
      <TextField
        label={t.reasonLabel}
        helperText={t.reasonHint}
        value={reason}
        multiline
        slotProps={{ htmlInput: { maxLength: 1024 } }}
        onChange={(event) => setReason(event.target.value)}
      />
      {cannot && <Alert severity="warning">{t.noDecide}</Alert>}
    </ConfirmDialog>
  );
}
