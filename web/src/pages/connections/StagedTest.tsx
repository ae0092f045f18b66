// The result of a test, stage by stage, with the cause of a failure and what to do.
import { mdiAlertCircle, mdiCheckCircle, mdiMinusCircleOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import LinearProgress from '@mui/material/LinearProgress';
import Typography from '@mui/material/Typography';

import type { ConnectionTest, TestStage } from '../../api/records';
import { Icon } from '../../components/Icon';
import { formatNumber } from '../../format';
import { texts } from '../../texts';

const t = texts.connections;
const looks = {
  ok: { path: mdiCheckCircle, color: 'success.main' },
  failed: { path: mdiAlertCircle, color: 'error.main' },
  skipped: { path: mdiMinusCircleOutline, color: 'text.disabled' },
} as const;

const milliseconds = (ms: number) => texts.sync.milliseconds(Math.round(ms));

export function TestRunning() {
  return (
    <Box role="status">
      {t.testing}
      <LinearProgress sx={{ mt: 1, borderRadius: 2 }} aria-label={t.testing} />
    </Box>
  );
}

export function StagedTest({ test }: { test: ConnectionTest }) {
  const failed = test.stages.some((stage) => stage.status === 'failed');
  return (
    <Box>
      <Alert severity={failed ? 'error' : 'success'} sx={{ mb: 1 }} role="status">
        {failed ? t.testFailed : t.testOk(`${formatNumber(test.latencyMs)} ms`)}
      </Alert>
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {test.stages.map((stage) => (
          <Stage key={stage.stage} stage={stage} />
        ))}
      </Box>
    </Box>
  );
}

function Stage({ stage }: { stage: TestStage }) {
  const look = looks[stage.status];
  return (
    <Box component="li" sx={{ display: 'flex', gap: 1.5, py: 0.75 }}>
      <Icon path={look.path} title={t.stageStatus[stage.status]} sx={{ color: look.color, mt: 0.25 }} />
      <Box sx={{ minWidth: 0, flex: 1, overflowWrap: 'anywhere' }}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 1 }}>
          <Typography
            component="span"
            sx={{ fontWeight: 500, color: stage.status === 'skipped' ? 'text.disabled' : '' }}
          >
            {t.stage[stage.stage]}
          </Typography>
          {stage.cause && <span>{t.cause[stage.cause] ?? stage.cause}</span>}
          {stage.httpStatus !== undefined && (
            <Typography component="span" color="textSecondary">
              {t.httpStatus(stage.httpStatus)}
            </Typography>
          )}
          {stage.status !== 'skipped' && stage.latencyMs !== undefined && (
            <Typography component="span" color="textSecondary" sx={{ ml: 'auto' }}>
              {milliseconds(stage.latencyMs)}
            </Typography>
          )}
        </Box>
        {stage.message && (
          <Typography variant="body2" color="textSecondary">
            {stage.message}
          </Typography>
        )}
        {stage.fix && (
          <Typography variant="body2">
            <strong>{t.fix}</strong> {stage.fix}
          </Typography>
        )}
      </Box>
    </Box>
  );
}
