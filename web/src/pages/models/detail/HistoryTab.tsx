import { mdiChevronDown, mdiHistory } from '@mdi/js';
import Accordion from '@mui/material/Accordion';
import AccordionDetails from '@mui/material/AccordionDetails';
import AccordionSummary from '@mui/material/AccordionSummary';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { body, client, ifMatch } from '../../../api/client';
import type { Model } from '../../../api/types';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { Icon } from '../../../components/Icon';
import { notify } from '../../../components/Notices';
import { Problem } from '../../../components/Problem';
import { Empty, Skeletons } from '../../../components/States';
import { formatDateTime } from '../../../format';
import { platformOrg } from '../../../session/permissions';
import { texts } from '../../../texts';
import { modelKey } from '../modelApi';
import { modelsKey } from '../useModels';
import css from './detail.module.css';
import { fieldLabel, shownValue } from './fields';
import { differences, type Revision } from './revisions';

const t = texts.detail.history;

export function HistoryTab({ org, model, editable }: { org: string; model: Model; editable: boolean }) {
  const queryClient = useQueryClient();
  const [target, setTarget] = useState<Revision | null>(null);
  const query = useInfiniteQuery({
    queryKey: ['revisions', org, model.slug, model.version],
    initialPageParam: '',
    queryFn: ({ pageParam }) =>
      body(
        client.GET('/v1/orgs/{org}/models/{model}/revisions', {
          params: {
            path: { org, model: model.slug },
            query: { page_size: 50, ...(pageParam ? { page_token: pageParam } : {}) },
          },
        }),
      ),
    getNextPageParam: (page) => page.next_page_token || undefined,
  });
  const rollback = useMutation({
    mutationFn: (revision: Revision) =>
      body(
        client.POST('/v1/orgs/{org}/models/{model}:rollback', {
          params: { path: { org, model: model.slug }, header: { 'If-Match': ifMatch(model.version) } },
          body: { version: revision.version },
        }),
      ),
    onSuccess: (_, revision) => {
      setTarget(null);
      notify(t.rolledBack(revision.version));
      void queryClient.invalidateQueries({ queryKey: modelKey(org, model.slug) });
      void queryClient.invalidateQueries({ queryKey: modelsKey(org) });
    },
  });
  if (query.error) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeletons rows={5} />;
  const revisions = query.data.pages.flatMap((page) => page.data) as Revision[];
  if (revisions.length === 0) return <Empty icon={mdiHistory} title={t.none} />;
  // Only the rows of this scope can be set back.
  const scope = org === platformOrg ? 'platform' : 'organization';
  return (
    <Box>
      {revisions.map((revision, i) => {
        const changes = differences(revision, revisions.slice(i + 1));
        return (
          <Accordion
            key={revision.version}
            disableGutters
            elevation={0}
            slotProps={{ transition: { unmountOnExit: true } }}
          >
            <AccordionSummary expandIcon={<Icon path={mdiChevronDown} />} sx={{ px: 0 }}>
              <Box sx={{ minWidth: 0 }}>
                <Typography sx={{ fontWeight: 500 }}>
                  {formatDateTime(revision.at)} {revision.actor && t.by(revision.actor)}
                </Typography>
                <Typography variant="body2" color="textSecondary">
                  {[
                    texts.models.scope[revision.scope as 'platform'],
                    revision.cause && (t.cause[revision.cause] ?? revision.cause),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                  {changes && changes.length > 0 && `: ${changes.map((change) => fieldLabel(change.name)).join(', ')}`}
                </Typography>
              </Box>
            </AccordionSummary>
            <AccordionDetails sx={{ px: 0 }}>
              {changes === null ? (
                <Typography color="textSecondary">{t.first}</Typography>
              ) : changes.length === 0 ? (
                <Typography color="textSecondary">{t.unchanged}</Typography>
              ) : (
                <table className={css.diff}>
                  <thead>
                    <tr>
                      <th>{texts.detail.merge.field}</th>
                      <th>{t.before}</th>
                      <th>{t.after}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {changes.map((change) => (
                      <tr key={change.name}>
                        <th scope="row">{fieldLabel(change.name)}</th>
                        <td className={css.removed}>{shownValue(change.name, change.before)}</td>
                        <td className={css.added}>{shownValue(change.name, change.after)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
              {editable && i > 0 && revision.scope === scope && (
                <Button sx={{ mt: 1 }} variant="outlined" onClick={() => setTarget(revision)}>
                  {t.rollback}
                </Button>
              )}
            </AccordionDetails>
          </Accordion>
        );
      })}
      {query.hasNextPage && (
        <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
          {t.more}
        </Button>
      )}
      {target && (
        <ConfirmDialog
          title={t.rollbackTitle(target.version)}
          text={t.rollbackHint}
          action={t.rollback}
          busy={rollback.isPending}
          error={rollback.error}
          onConfirm={() => rollback.mutate(target)}
          onClose={() => {
            rollback.reset();
            setTarget(null);
          }}
        />
      )}
    </Box>
  );
}
