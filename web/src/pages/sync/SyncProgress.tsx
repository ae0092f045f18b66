import Alert from '@mui/material/Alert';
import LinearProgress from '@mui/material/LinearProgress';

import { Problem } from '../../components/Problem';
import { texts } from '../../texts';
import { countsText } from './runs';
import type { SyncState } from './syncNow';

const t = texts.sync;

/** What a sync that was asked for does, and how it ended. */
export function SyncProgress({ state, name }: { state: SyncState | undefined; name: string }) {
  if (!state) return null;
  const { phase, progress, run, error } = state;
  if (phase === 'running') {
    const counts = progress ? countsText(progress) : '';
    const done = Number(progress?.['done']);
    const total = Number(progress?.['total']);
    return (
      <div role="status">
        {counts ? `${t.running(name)} ${counts}` : t.running(name)}
        <LinearProgress
          sx={{ mt: 0.5, borderRadius: 2 }}
          aria-label={t.running(name)}
          {...(total > 0 && done >= 0
            ? { variant: 'determinate' as const, value: Math.min(100, (100 * done) / total) }
            : {})}
        />
      </div>
    );
  }
  if (error) return <Problem error={error} />;
  if (phase === 'late') return <Alert severity="warning">{t.late}</Alert>;
  if (phase === 'failed')
    return <Alert severity="error">{run ? t.failedRun(name, run.detail || run.errorClass) : t.failed(name)}</Alert>;
  const held = run?.status === 'held';
  return (
    <Alert severity={held ? 'warning' : 'success'}>
      {held ? t.held(name) : t.done(name)} {run ? countsText(run as unknown as Record<string, unknown>) : ''}
    </Alert>
  );
}
