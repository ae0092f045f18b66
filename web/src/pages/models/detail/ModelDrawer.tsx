// The details of one model beside the list: tabs over one draft, saved with the version that it was made from.
import { mdiClose } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Drawer from '@mui/material/Drawer';
import IconButton from '@mui/material/IconButton';
import Tab from '@mui/material/Tab';
import Tabs from '@mui/material/Tabs';
import Typography from '@mui/material/Typography';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { memo, type SetStateAction, useCallback, useEffect, useState } from 'react';
import { useSearchParams } from 'react-router-dom';

import { isStatus } from '../../../api/problem';
import { type Model, nameOf } from '../../../api/types';
import { DefaultChip, LifecycleChip, ScopeChip, StatusChip } from '../../../components/chips';
import { Icon } from '../../../components/Icon';
import { notify } from '../../../components/Notices';
import { Problem } from '../../../components/Problem';
import { Skeletons } from '../../../components/States';
import { loginAsked } from '../../../session/session';
import { useStore } from '../../../store';
import { texts } from '../../../texts';
import { changeModel, isSame, modelKey, readModel } from '../modelApi';
import { patchModels } from '../useModels';
import { AccessTab } from './AccessTab';
import { CapabilitiesTab } from './CapabilitiesTab';
import { DeleteDialog } from './DeleteDialog';
import { changesIn, type Draft, draftOf } from './draft';
import { ExplainTab } from './ExplainTab';
import { HistoryTab } from './HistoryTab';
import { LimitsTab } from './LimitsTab';
import { MergeDialog } from './MergeDialog';
import { OverviewTab } from './OverviewTab';
import { PricingTab } from './PricingTab';
import { RawTab } from './RawTab';
import { UsageTab } from './UsageTab';

const t = texts.detail;
type TabName = keyof typeof t.tabs;
const tabNames = Object.keys(t.tabs) as TabName[];

export default memo(function ModelDrawer({ org, editable }: { org: string; editable: boolean }) {
  const [params, setParams] = useSearchParams();
  const slug = params.get('model');
  const asked = useStore(loginAsked);
  // An address with a model may open after the login was asked for; a drawer that is open stays below it.
  const [opened, setOpened] = useState(false);
  const open = slug !== null && (opened || !asked);
  useEffect(() => setOpened(open), [open]);
  const close = () =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      after.delete('model');
      after.delete('tab');
      return after;
    });
  return (
    <Drawer
      anchor="right"
      open={open}
      onClose={close}
      slotProps={{
        paper: {
          sx: { width: { xs: '100%', sm: 'min(100%, 620px)' }, borderRadius: { sm: '24px 0 0 24px' } },
          'aria-label': t.label(slug ?? ''),
        },
      }}
    >
      {slug !== null && <Loaded key={`${org} ${slug}`} org={org} slug={slug} editable={editable} onClose={close} />}
    </Drawer>
  );
});

interface Props {
  org: string;
  slug: string;
  editable: boolean;
  onClose: () => void;
}

function Loaded(props: Props) {
  const query = useQuery({
    queryKey: modelKey(props.org, props.slug),
    queryFn: () => readModel(props.org, props.slug),
  });
  if (query.data) return <Details {...props} model={query.data} />;
  return (
    <Box sx={{ p: 2 }}>
      <CloseButton onClose={props.onClose} />
      {isStatus(query.error, 404) ? (
        <Alert severity="warning">
          <strong>{t.gone}.</strong> {t.goneHint}
        </Alert>
      ) : query.error ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeletons rows={8} />
      )}
    </Box>
  );
}

function CloseButton({ onClose }: { onClose: () => void }) {
  return (
    <IconButton aria-label={texts.common.close} onClick={onClose} sx={{ float: 'right' }}>
      <Icon path={mdiClose} />
    </IconButton>
  );
}

function Details({ org, slug, model, editable, onClose }: Props & { model: Model }) {
  const queryClient = useQueryClient();
  const [params, setParams] = useSearchParams();
  const tab = tabNames.find((name) => name === params.get('tab')) ?? 'overview';
  const kept = draftOf(org, slug);
  const held = useStore(kept);
  const draft: Draft = held ?? { base: model, patch: {} };
  const setDraft = useCallback(
    (change: SetStateAction<Draft>) => {
      const before = kept.get() ?? { base: model, patch: {} };
      const after = typeof change === 'function' ? change(before) : change;
      kept.set(changesIn(after).length > 0 ? after : null);
    },
    [kept, model],
  );
  const [theirs, setTheirs] = useState<Model | null>(null);
  const [readError, setReadError] = useState<unknown>(null);
  const [deleting, setDeleting] = useState(false);
  const changes = changesIn(draft).length;
  useLeaveWarning(changes > 0);

  const saving = useMutation({
    mutationFn: (given: Draft) => changeModel(org, given.base, given.patch),
    onMutate: () => setReadError(null),
    onSuccess: (saved) => {
      kept.set(null);
      setTheirs(null);
      queryClient.setQueryData(modelKey(org, slug), saved);
      patchModels(queryClient, org, (row) => (isSame(row, saved) ? { ...row, ...saved } : row));
      notify(t.saved(nameOf(saved)));
    },
    onError: (error) => {
      if (isStatus(error, 412))
        queryClient
          .fetchQuery({ queryKey: modelKey(org, slug), queryFn: () => readModel(org, slug), staleTime: 0 })
          .then(setTheirs, setReadError);
    },
  });
  // Another person's change is merged; that it cannot be read is what failed.
  const failure = isStatus(saving.error, 412) ? readError : saving.error;
  const edit = { org, draft, setDraft, editable };
  const removable = editable && (org === '_' || model.scope !== 'platform');
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', height: '100%' }}>
      <Box sx={{ px: { xs: 2, sm: 3 }, pt: 2 }}>
        <CloseButton onClose={onClose} />
        <Typography variant="h1" component="h2" sx={{ overflowWrap: 'anywhere' }}>
          {nameOf(draft.base)}
        </Typography>
        <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: 'anywhere' }}>
          {model.provider}:{model.modelName}
        </Typography>
        <Box sx={{ display: 'flex', gap: 0.75, flexWrap: 'wrap', py: 1 }}>
          <StatusChip status={model.status} />
          <ScopeChip scope={model.scope} />
          {model.isDefault && <DefaultChip />}
          <LifecycleChip lifecycle={model.lifecycle} />
        </Box>
      </Box>
      <Tabs
        value={tab}
        variant="scrollable"
        allowScrollButtonsMobile
        onChange={(_, next: TabName) =>
          setParams(
            (before) => {
              const after = new URLSearchParams(before);
              after.set('tab', next);
              return after;
            },
            { replace: true },
          )
        }
        sx={{ borderBottom: 1, borderColor: 'divider', px: 1, flexShrink: 0 }}
      >
        {tabNames.map((name) => (
          <Tab key={name} value={name} label={t.tabs[name]} id={`tab-${name}`} aria-controls="tab-panel" />
        ))}
      </Tabs>
      <Box
        id="tab-panel"
        role="tabpanel"
        tabIndex={0}
        aria-labelledby={`tab-${tab}`}
        sx={{ flex: 1, overflowY: 'auto', px: { xs: 2, sm: 3 }, py: 2.5 }}
      >
        {!editable && tab !== 'raw' && tab !== 'explain' && tab !== 'history' && tab !== 'usage' && (
          <Alert severity="info" sx={{ mb: 2 }}>
            {texts.common.readOnly}
          </Alert>
        )}
        {tab === 'overview' && <OverviewTab {...edit} />}
        {tab === 'pricing' && <PricingTab org={org} model={model} editable={editable} />}
        {tab === 'limits' && <LimitsTab {...edit} />}
        {tab === 'capabilities' && <CapabilitiesTab {...edit} />}
        {tab === 'access' && <AccessTab {...edit} />}
        {tab === 'history' && <HistoryTab org={org} model={model} editable={editable} />}
        {tab === 'usage' && <UsageTab org={org} model={model} />}
        {tab === 'explain' && <ExplainTab org={org} model={model} />}
        {tab === 'raw' && <RawTab model={model} />}
        {tab === 'overview' && removable && (
          <Button color="error" sx={{ mt: 3 }} onClick={() => setDeleting(true)}>
            {model.scope === 'override' ? t.remove.removeOwn : t.remove.delete}
          </Button>
        )}
      </Box>
      {failure && !theirs ? (
        <Box sx={{ px: 2 }}>
          <Problem error={failure} onRetry={() => saving.mutate(draft)} />
        </Box>
      ) : null}
      {changes > 0 && (
        <Box
          sx={{
            display: 'flex',
            alignItems: 'center',
            flexWrap: 'wrap',
            gap: 1,
            px: { xs: 2, sm: 3 },
            py: 1.5,
            borderTop: 1,
            borderColor: 'divider',
          }}
        >
          <Box sx={{ flex: 1 }} aria-live="polite">
            {t.changes(changes)}
          </Box>
          <Button onClick={() => kept.set(null)}>{t.discard}</Button>
          <Button variant="contained" disabled={saving.isPending} onClick={() => saving.mutate(draft)}>
            {saving.isPending ? texts.common.saving : texts.common.save}
          </Button>
        </Box>
      )}
      {theirs && (
        <MergeDialog
          draft={draft}
          theirs={theirs}
          busy={saving.isPending}
          error={failure}
          onClose={() => setTheirs(null)}
          onMerged={(merged) => {
            kept.set(merged);
            if (changesIn(merged).length > 0) {
              saving.mutate(merged);
              return;
            }
            kept.set(null);
            setTheirs(null);
          }}
        />
      )}
      {deleting && (
        <DeleteDialog
          org={org}
          model={model}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            kept.set(null);
            onClose();
          }}
        />
      )}
    </Box>
  );
}

/** The browser asks before it leaves a page with changes that are not saved. */
function useLeaveWarning(unsaved: boolean) {
  useEffect(() => {
    if (!unsaved) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [unsaved]);
}
