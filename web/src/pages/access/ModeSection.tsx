import Button from '@mui/material/Button';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';
import { useState } from 'react';

import type { Grant } from '../../api/records';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { notify } from '../../components/Notices';
import { Section } from '../../components/PageLayout';
import { Problem } from '../../components/Problem';
import { Skeletons } from '../../components/States';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { useChangeSettings, useSettings } from '../settings/useSettings';

const t = texts.access;

/** Whether models are open to all, or only to whom a rule allows them; with what a switch would do. */
export function ModeSection({ org, grants }: { org: string; grants: Grant[] }) {
  const settings = useSettings(org);
  const change = useChangeSettings(org);
  const mayWrite = useMay('org:settings:write');
  const [asked, setAsked] = useState(false);
  if (settings.isPending) return <Skeletons rows={1} />;
  if (!settings.data) return <Problem error={settings.error} onRetry={() => void settings.refetch()} />;
  const { mode, version } = settings.data;
  const other = mode === 'open' ? 'allow_list' : 'open';
  return (
    <Section title={t.mode}>
      <Paper variant="outlined" sx={{ p: 2, display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2 }}>
        <div style={{ flex: '1 1 260px' }}>
          <Typography sx={{ fontWeight: 500 }}>{t.modeName[mode]}</Typography>
          <Typography color="textSecondary">{t.modeHint[mode]}</Typography>
        </div>
        {mayWrite && (
          <Button variant="outlined" onClick={() => setAsked(true)}>
            {t.switchTo(t.modeName[other])}
          </Button>
        )}
      </Paper>
      {asked && (
        <ConfirmDialog
          title={t.modeTitle[other]}
          text={
            other === 'open'
              ? t.modeText.open
              : t.modeText.allow_list(grants.filter((grant) => grant.effect === 'allow').length)
          }
          action={t.switchTo(t.modeName[other])}
          busy={change.isPending}
          error={change.error}
          onConfirm={() =>
            change.mutate(
              { version, patch: { mode: other } },
              {
                onSuccess: () => {
                  notify(t.modeSaved);
                  setAsked(false);
                },
              },
            )
          }
          onClose={() => {
            change.reset();
            setAsked(false);
          }}
        />
      )}
    </Section>
  );
}
