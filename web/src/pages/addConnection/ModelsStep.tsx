import { mdiRobotOffOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Checkbox from '@mui/material/Checkbox';
import FormControlLabel from '@mui/material/FormControlLabel';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Connection } from '../../api/records';
import { nameOf } from '../../api/types';
import { StateChip } from '../../components/chips';
import { notify } from '../../components/Notices';
import { Problem } from '../../components/Problem';
import { SearchBox } from '../../components/SearchBox';
import { Empty, Skeletons } from '../../components/States';
import { formatCompact } from '../../format';
import { texts } from '../../texts';
import { runBulk } from '../models/bulk';
import { SyncProgress } from '../sync/SyncProgress';
import { useSyncNow } from '../sync/syncNow';
import { useConnectionModels } from './useConnectionModels';

const t = texts.addConnection;
const rowsMax = 200;

/** The models that the new connection brought, and which of them may be used. */
export function ModelsStep({ org, connection, onDone }: { org: string; connection: Connection; onDone: () => void }) {
  const sync = useSyncNow(org);
  const state = sync.stateOf(connection.id);
  const models = useConnectionModels(org, connection);
  const queryClient = useQueryClient();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [q, setQ] = useState('');
  const [progress, setProgress] = useState({ done: 0, total: 0 });
  const all = models.data ?? [];
  const fitting = all.filter((model) =>
    `${model.slug} ${nameOf(model)}`.toLowerCase().includes(q.trim().toLowerCase()),
  );
  const disabled = fitting.filter((model) => !model.enabled);
  const enabling = useMutation({
    mutationFn: async () => {
      const changes = all
        .filter((model) => chosen.has(model.slug))
        .map((model) => ({ slug: model.slug, patch: { enabled: true } }));
      setProgress({ done: 0, total: changes.length });
      const result = await runBulk(org, changes, (done) => setProgress({ done, total: changes.length }));
      const enabled = new Set(result.done.map(({ change }) => change.slug));
      if (enabled.size > 0) notify(t.enabled(enabled.size));
      setChosen(new Set(changes.map(({ slug }) => slug).filter((slug) => !enabled.has(slug))));
      void queryClient.invalidateQueries({ queryKey: ['models', org] });
      if (result.error !== undefined) throw result.error;
      return result;
    },
    onSuccess: (result) => {
      if (result.failed.length === 0) onDone();
    },
  });
  const toggle = (slug: string) => {
    const next = new Set(chosen);
    if (!next.delete(slug)) next.add(slug);
    setChosen(next);
  };
  return (
    <Stack sx={{ gap: 2, maxWidth: 760 }}>
      <SyncProgress state={state} name={connection.name} />
      {models.error ? <Problem error={models.error} onRetry={() => void models.refetch()} /> : null}
      {models.isPending ? (
        <Skeletons rows={4} />
      ) : all.length === 0 ? (
        state?.phase === 'running' ? (
          <Typography color="textSecondary">{t.syncWaiting}</Typography>
        ) : (
          <Empty
            icon={mdiRobotOffOutline}
            title={t.noModels}
            hint={t.noModelsHint}
            action={
              <Button variant="contained" onClick={() => void sync.start(connection)}>
                {t.syncAgain}
              </Button>
            }
          />
        )
      ) : (
        <>
          {all.length > 10 && <SearchBox label={t.searchModels} value={q} onChange={setQ} />}
          <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1 }}>
            <span role="status">{t.choose(chosen.size, all.length)}</span>
            <Button
              size="small"
              disabled={disabled.length === 0}
              onClick={() => setChosen(new Set([...chosen, ...disabled.map((model) => model.slug)]))}
            >
              {t.chooseAll}
            </Button>
            <Button size="small" disabled={chosen.size === 0} onClick={() => setChosen(new Set())}>
              {t.chooseNone}
            </Button>
          </Box>
          <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
            {fitting.slice(0, rowsMax).map((model) => (
              <Box component="li" key={model.slug} sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center' }}>
                <FormControlLabel
                  sx={{ flex: 1, minWidth: 0, mr: 1, overflowWrap: 'anywhere' }}
                  control={
                    <Checkbox
                      checked={model.enabled || chosen.has(model.slug)}
                      disabled={model.enabled}
                      onChange={() => toggle(model.slug)}
                    />
                  }
                  label={nameOf(model)}
                />
                <Typography variant="body2" color="textSecondary" sx={{ mr: 1 }}>
                  {texts.models.kind[model.kind]}
                  {model.contextWindow ? ` · ${texts.models.contextShort(formatCompact(model.contextWindow))}` : ''}
                </Typography>
                {model.enabled && <StateChip tone="good" label={t.alreadyEnabled} />}
              </Box>
            ))}
          </Box>
          {fitting.length > rowsMax && (
            <Typography color="textSecondary">{t.moreRows(fitting.length - rowsMax)}</Typography>
          )}
        </>
      )}
      {enabling.data && enabling.data.failed.length > 0 && (
        <Alert severity="warning">
          {t.someFailed(enabling.data.failed.length)}
          <ul style={{ margin: 0, paddingLeft: 20 }}>
            {enabling.data.failed.slice(0, 20).map(({ change, problem }) => (
              <li key={change.slug}>
                {change.slug}: {problem.detail}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      {enabling.error && <Problem error={enabling.error} onRetry={() => enabling.mutate()} />}
      <Stack direction="row" sx={{ gap: 1, flexWrap: 'wrap' }}>
        <Button
          variant="contained"
          disabled={chosen.size === 0 || enabling.isPending}
          onClick={() => enabling.mutate()}
        >
          {enabling.isPending ? t.enabling(progress.done, progress.total) : t.enable(chosen.size)}
        </Button>
        <Button onClick={onDone}>{all.some((model) => model.enabled) ? texts.common.next : t.skip}</Button>
      </Stack>
    </Stack>
  );
}
