import { mdiFilterOffOutline, mdiRobotOffOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import useMediaQuery from '@mui/material/useMediaQuery';
import { useTheme } from '@mui/material/styles';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useDeferredValue, useMemo, useReducer, useRef, useState } from 'react';
import { useSearchParams } from 'react-router-dom';

import { listKey } from '../../api/lists';
import { isStatus } from '../../api/problem';
import { type Model, nameOf } from '../../api/types';
import { notify, notifyError } from '../../components/Notices';
import { Problem } from '../../components/Problem';
import { Empty, Skeletons } from '../../components/States';
import { platformOrg } from '../../session/permissions';
import { useMay, useOrg } from '../../session/session';
import { keptValue, useStore } from '../../store';
import { texts } from '../../texts';
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
import { ColumnsMenu, KeysHelp, type Layout, LayoutSwitch, RefreshButton } from './Toolbar';
import { useBulk } from './useBulk';
import { useModels } from './useModels';
import { useShownModels } from './useShownModels';
import { useView } from './useView';
import { ViewsMenu } from './ViewsMenu';

// Rows appear before the code of the details has arrived.
const ModelDrawer = lazy(() => import('./detail/ModelDrawer'));
const t = texts.models;
const keptLayout = keptValue<Layout | null>('models.layout', null);

export default function ModelsPage() {
  const org = useOrg();
  const editable = useMay(org === platformOrg ? 'platform:models:write' : 'org:models:write');
  const [params, setParams] = useSearchParams();
  const filter = useMemo(() => filterFrom(params), [params]);
  const order = useMemo(() => orderFrom(params), [params]);
  const [refreshes, setRefreshes] = useState(0);
  const queryClient = useQueryClient();
  const { query, models, total } = useModels(org);
  const view = useView(org, filter.view, models);
  const shown = useShownModels(view.shown, useDeferredValue(filter), order, refreshes);
  const slugs = useMemo(() => shown.map((model) => model.slug), [shown]);
  const [selection, select] = useReducer(
    (before: Selection, { action, rows }: { action: SelectionAction; rows: string[] }) =>
      reduceSelection(before, action, rows),
    nothingSelected,
  );
  const rows = useRef(slugs);
  rows.current = slugs;
  const dispatch = useCallback((action: SelectionAction) => select({ action, rows: rows.current }), []);
  const bulk = useBulk(org);
  const onToggle = useToggle(org);

  const onFilter = useCallback(
    (next: Filter) => setParams((before) => withFilter(before, next), { replace: true }),
    [setParams],
  );
  const onSearch = useCallback(
    (q: string) => setParams((before) => withFilter(before, { ...filterFrom(before), q }), { replace: true }),
    [setParams],
  );
  const onOrder = (next: Order) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (next.column) after.set('sort', (next.descending ? '-' : '') + next.column);
        else after.delete('sort');
        return after;
      },
      { replace: true },
    );
  const onOpen = useCallback(
    (model: Model) =>
      setParams((before) => {
        const after = new URLSearchParams(before);
        after.set('model', model.slug);
        return after;
      }),
    [setParams],
  );

  const shownColumns = useStore(chosenColumns);
  const narrow = useMediaQuery(useTheme().breakpoints.down('md'));
  const layout = useStore(keptLayout) ?? (narrow ? 'cards' : 'table');
  const [filtersOpen, setFiltersOpen] = useState(choicesIn(filter) > 0);
  const selected = useMemo(() => models.filter((model) => selection.ids.has(model.slug)), [models, selection.ids]);
  const shownSlugs = useMemo(() => new Set(slugs), [slugs]);
  const list = { models: shown, selection, select: dispatch, editable, onOpen, onToggle };
  const filtered = choicesIn(filter) > 0 || filter.q !== '' || filter.kind !== '' || filter.view !== '';

  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 0 }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1, px: 2, pt: 2, pb: 1 }}>
        <Typography variant="h1" sx={{ mr: 1 }}>
          {t.title}
        </Typography>
        <SearchField value={filter.q} onChange={onSearch} />
        <ViewsMenu org={org} filter={filter} onFilter={onFilter} selected={selected} />
        <FiltersButton filter={filter} open={filtersOpen} onOpen={setFiltersOpen} />
        <Box sx={{ flex: 1 }} />
        <LayoutSwitch layout={layout} onLayout={(next) => keptLayout.set(next)} />
        {layout === 'table' && <ColumnsMenu />}
        <KeysHelp />
        <RefreshButton
          busy={query.isFetching}
          onRefresh={() => {
            setRefreshes((count) => count + 1);
            void query.refetch();
            if (filter.view) void view.query.refetch();
            void queryClient.invalidateQueries({ queryKey: listKey('views', org) });
          }}
        />
      </Box>
      <FilterBar filter={filter} onFilter={onFilter} models={view.shown} open={filtersOpen} />
      <KindTabs models={view.shown} kind={filter.kind} onKind={(kind) => onFilter({ ...filter, kind })} />
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
        <Empty icon={mdiRobotOffOutline} title={t.empty} hint={t.emptyHint} />
      ) : shown.length === 0 && view.query.error ? null : shown.length === 0 ? (
        <Empty
          icon={mdiFilterOffOutline}
          title={t.noMatch}
          hint={t.noMatchHint}
          action={<Button onClick={() => onFilter(noFilter)}>{t.clearFilters}</Button>}
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
          <Button size="small" sx={{ ml: 1, minHeight: 0, py: 0 }} onClick={() => onFilter(noFilter)}>
            {t.clearFilters}
          </Button>
        )}
      </Box>
      {editable && (
        <BulkBar
          org={org}
          selected={selected}
          notShown={selected.filter((model) => !shownSlugs.has(model.slug)).length}
          bulk={bulk}
          onClear={() => dispatch({ type: 'none' })}
        />
      )}
      <Suspense>
        <ModelDrawer org={org} editable={editable} />
      </Suspense>
      <FailedDialog failed={bulk.failed} onClose={bulk.forgetFailed} />
    </Box>
  );
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
