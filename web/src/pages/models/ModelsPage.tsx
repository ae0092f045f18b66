import { mdiFilterOffOutline, mdiRobotOffOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import useMediaQuery from '@mui/material/useMediaQuery';
import { useTheme } from '@mui/material/styles';
import { useQueryClient } from '@tanstack/react-query';
import { Suspense, useCallback, useDeferredValue, useEffect, useMemo, useReducer, useState } from 'react';
import { Link as RouterLink, useSearchParams } from 'react-router-dom';

import { listKey } from '../../api/lists';
import { isStatus } from '../../api/problem';
import { type Model, nameOf } from '../../api/types';
import { notify, notifyError } from '../../components/Notices';
import { Problem } from '../../components/Problem';
import { Empty, Skeletons } from '../../components/States';
import { orgPath } from '../../paths';
import { platformOrg } from '../../session/permissions';
import { useMay, useOrg } from '../../session/session';
import { loadable } from '../../shell/loadable';
import { keptValue, useStore } from '../../store';
import { texts } from '../../texts';
import { useStable } from '../../useStable';
import { BulkBar } from './BulkBar';
import { FailedDialog } from './BulkDialogs';
import { chosenColumns } from './columns';
import { FilterBar, FiltersButton, SearchField } from './FilterBar';
import { choicesIn, type Filter, filterFrom, noFilter, type Order, orderFrom, withFilter } from './filters';
import { KindTabs } from './KindTabs';
import { useChangeModel } from './modelApi';
import { ModelCards } from './ModelCards';
import { ModelTable } from './ModelTable';
import { nothingSelected, reduceSelection, type Selection, type SelectionAction } from './selection';
import { AddButton, ColumnsMenu, KeysHelp, type Layout, LayoutSwitch, RefreshButton } from './Toolbar';
import { useBulk } from './useBulk';
import { useModels } from './useModels';
import { useSearchText } from './useSearchText';
import { useShownModels } from './useShownModels';
import { useView } from './useView';
import { ViewsMenu } from './ViewsMenu';

const AddModelDialog = loadable(() => import('./AddModelDialog')).Shown;
const drawer = loadable(() => import('./detail/ModelDrawer'));
/** The rows come first, then the code of the details, before a person has found the row to open. */
const drawerAfterMs = 300;
const t = texts.models;
const none: Model[] = [];
const keptLayout = keptValue<Layout | null>('models.layout', null);

export default function ModelsPage() {
  const org = useOrg();
  const editable = useMay(org === platformOrg ? 'platform:models:write' : 'org:models:write');
  const mayConnect = useMay('org:connections:write');
  const [adding, setAdding] = useState(false);
  const [params, setParams] = useSearchParams();
  const address = useMemo(() => filterFrom(params), [params]);
  const order = useMemo(() => orderFrom(params), [params]);
  const [refreshes, setRefreshes] = useState(0);
  const queryClient = useQueryClient();
  const { query, models, total } = useModels(org);
  const change = useStable((changed: (before: URLSearchParams) => URLSearchParams) =>
    setParams(changed, { replace: true }),
  );
  const search = useSearchText(
    address.q,
    useStable((q: string) => change((before) => withFilter(before, { ...filterFrom(before), q }))),
  );
  const filter = useMemo(() => ({ ...address, q: search.typed }), [address, search.typed]);
  const view = useView(org, filter.view, models);
  const shown = useShownModels(view.shown, useDeferredValue(filter), useDeferredValue(order), refreshes);
  const [selection, select] = useReducer(
    (before: Selection, { action, rows }: { action: SelectionAction; rows: string[] }) =>
      reduceSelection(before, action, rows),
    nothingSelected,
  );
  const dispatch = useStable((action: SelectionAction) => select({ action, rows: shown.map((model) => model.slug) }));
  const withDrawer = useDrawer(params.has('model'), models.length > 0);
  const bulk = useBulk(org);
  const onToggle = useToggle(org);

  const onFilter = useStable((next: Filter) =>
    change((before) => withFilter(before, { ...next, q: search.latest.current })),
  );
  const onClear = useStable(() => {
    search.give('');
    change((before) => withFilter(before, noFilter));
  });
  const onKind = useStable((kind: Filter['kind']) => onFilter({ ...address, kind }));
  const onOrder = useStable((next: Order) =>
    change((before) => {
      const after = new URLSearchParams(before);
      if (next.column) after.set('sort', (next.descending ? '-' : '') + next.column);
      else after.delete('sort');
      return after;
    }),
  );
  const onOpen = useStable((model: Model) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      after.set('model', model.slug);
      return after;
    }),
  );
  const onAdd = useStable(() => setAdding(true));
  const onRefresh = useStable(() => {
    setRefreshes((count) => count + 1);
    void query.refetch();
    if (filter.view) void view.query.refetch();
    void queryClient.invalidateQueries({ queryKey: listKey('views', org) });
  });

  const shownColumns = useStore(chosenColumns);
  const narrow = useMediaQuery(useTheme().breakpoints.down('md'));
  const layout = useStore(keptLayout) ?? (narrow ? 'cards' : 'table');
  const [filtersOpen, setFiltersOpen] = useState(choicesIn(filter) > 0);
  const selected = useMemo(
    () => (selection.ids.size === 0 ? none : models.filter((model) => selection.ids.has(model.slug))),
    [models, selection.ids],
  );
  const notShown = useMemo(() => {
    if (selected.length === 0) return 0;
    const slugs = new Set(shown.map((model) => model.slug));
    return selected.filter((model) => !slugs.has(model.slug)).length;
  }, [selected, shown]);
  const list = { models: shown, selection, select: dispatch, editable, onOpen, onToggle };
  const filtered = choicesIn(filter) > 0 || filter.q !== '' || filter.kind !== '' || filter.view !== '';

  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 0 }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1, px: 2, pt: 2, pb: 1 }}>
        <Typography variant="h1" sx={{ mr: 1 }}>
          {t.title}
        </Typography>
        <SearchField given={search.given} onType={search.onType} />
        <ViewsMenu org={org} filter={address} onFilter={onFilter} selected={selected} />
        <FiltersButton filter={filter} open={filtersOpen} onOpen={setFiltersOpen} />
        <Box sx={{ flex: 1 }} />
        <LayoutSwitch layout={layout} onLayout={keptLayout.set} />
        {layout === 'table' && <ColumnsMenu />}
        <KeysHelp />
        {editable && <AddButton onAdd={onAdd} />}
        <RefreshButton busy={query.isFetching} onRefresh={onRefresh} />
      </Box>
      <FilterBar filter={address} onFilter={onFilter} models={view.shown} open={filtersOpen} />
      <KindTabs models={view.shown} kind={filter.kind} onKind={onKind} />
      {query.error && models.length > 0 && (
        <Alert severity="warning" sx={{ m: 1 }}>
          {models.length < total ? t.restFailed : null}{' '}
          <Problem error={query.error} onRetry={() => void query.refetch()} />
        </Alert>
      )}
      {view.query.error && (
        <Box sx={{ px: 2, py: 1 }}>
          {isStatus(view.query.error, 404) ? (
            <Alert severity="warning">
              <strong>{texts.views.gone(filter.view)}.</strong> {texts.views.goneHint}
            </Alert>
          ) : (
            <Problem error={view.query.error} onRetry={() => void view.query.refetch()} />
          )}
        </Box>
      )}
      {query.isPending || view.query.isLoading ? (
        <Box sx={{ p: 2 }}>
          <Skeletons rows={10} />
        </Box>
      ) : query.error && models.length === 0 ? (
        <Box sx={{ p: 2 }}>
          <Problem error={query.error} onRetry={() => void query.refetch()} />
        </Box>
      ) : models.length === 0 ? (
        <Empty
          icon={mdiRobotOffOutline}
          title={t.empty}
          hint={t.emptyHint}
          action={
            mayConnect && (
              <Button variant="contained" component={RouterLink} to={orgPath(org, 'connections', 'new')}>
                {texts.connections.add}
              </Button>
            )
          }
        />
      ) : shown.length === 0 && view.query.error ? null : shown.length === 0 ? (
        <Empty
          icon={mdiFilterOffOutline}
          title={t.noMatch}
          hint={t.noMatchHint}
          action={<Button onClick={onClear}>{t.clearFilters}</Button>}
        />
      ) : layout === 'table' ? (
        <ModelTable {...list} shownColumns={shownColumns} order={order} onOrder={onOrder} />
      ) : (
        <ModelCards {...list} />
      )}
      <Box sx={{ display: 'flex', px: 2, py: 0.5, color: 'text.secondary', fontSize: '0.8rem' }} role="status">
        {models.length < total && query.isFetching
          ? t.loadingRest(models.length, total)
          : models.length > 0 && t.shown(shown.length, models.length)}
        {filtered && shown.length > 0 && (
          <Button size="small" sx={{ ml: 1, minHeight: 0, py: 0 }} onClick={onClear}>
            {t.clearFilters}
          </Button>
        )}
      </Box>
      {editable && (
        <BulkBar
          org={org}
          selected={selected}
          notShown={notShown}
          bulk={bulk}
          onClear={() => dispatch({ type: 'none' })}
        />
      )}
      {withDrawer && (
        <Suspense>
          <drawer.Shown org={org} editable={editable} />
        </Suspense>
      )}
      {adding && (
        <Suspense>
          <AddModelDialog
            org={org}
            onClose={() => setAdding(false)}
            onAdded={(model) => {
              setAdding(false);
              onOpen(model);
            }}
          />
        </Suspense>
      )}
      <FailedDialog failed={bulk.failed} onClose={bulk.forgetFailed} />
    </Box>
  );
}

/** Whether there are details to show: from the first time on, so that they can close with their movement. */
function useDrawer(asked: boolean, listed: boolean): boolean {
  const [shown, setShown] = useState(asked);
  if (asked && !shown) setShown(true);
  useEffect(() => {
    if (!listed) return;
    const timer = setTimeout(() => void drawer.load().catch(() => undefined), drawerAfterMs);
    return () => clearTimeout(timer);
  }, [listed]);
  return shown;
}

/** Switches one model on or off in its place, with an undo. */
function useToggle(org: string) {
  const { mutate } = useChangeModel(org);
  return useCallback(
    (model: Model, enabled: boolean) => {
      const change = (target: Model, value: boolean | null, undo: boolean | null | undefined) =>
        mutate(
          { model: target, patch: { enabled: value } },
          {
            onSuccess: (changed) =>
              notify((changed.enabled ? t.enabledOne : t.disabledOne)(nameOf(changed)), {
                ...(undo === undefined
                  ? {}
                  : { action: { label: texts.common.undo, run: () => change(changed, undo, undefined) } }),
              }),
            onError: (error) =>
              isStatus(error, 412)
                ? notify(t.changedElsewhere(nameOf(target)), { severity: 'error' })
                : notifyError(error),
          },
        );
      change(model, enabled, model.inherits ? null : model.enabled);
    },
    [mutate],
  );
}
