// Saved views: which one the list shows, and what can be done with it.
import { mdiBookmarkOutline } from '@mdi/js';
import Button from '@mui/material/Button';
import Divider from '@mui/material/Divider';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { memo, Suspense, useState } from 'react';

import { body, client, ifMatch } from '../../api/client';
import { listKey, useList } from '../../api/lists';
import type { View } from '../../api/records';
import type { Model } from '../../api/types';
import { Icon } from '../../components/Icon';
import { notify, notifyError } from '../../components/Notices';
import { platformOrg } from '../../session/permissions';
import { useMay } from '../../session/session';
import { loadable } from '../../shell/loadable';
import { texts } from '../../texts';
import { DeleteViewDialog } from '../views/DeleteViewDialog';
import { filterText, formOfFilter } from '../views/viewForm';
import type { Filter } from './filters';
import { viewKey } from './useView';

const ViewDialog = loadable(async () => ({ default: (await import('../views/ViewDialog')).ViewDialog })).Shown;
const t = texts.views;

interface Props {
  org: string;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  selected: Model[];
}

export const ViewsMenu = memo(function ViewsMenu({ org, filter, onFilter, selected }: Props) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [dialog, setDialog] = useState<'new' | 'edit' | 'delete' | null>(null);
  const views = useList('views', org);
  const mayWrite = useMay(org === platformOrg ? 'platform:models:write' : 'org:models:write');
  const pinning = usePins(org);
  const rows = views.data ?? [];
  const chosen = rows.find((row) => row.name === filter.view);
  const own = chosen && (chosen.scope === 'platform') === (org === platformOrg) ? chosen : undefined;
  const choose = (view: string) => onFilter({ ...filter, view });
  const close = (then: () => void) => () => {
    setAnchor(null);
    then();
  };
  const pinned = new Set(own?.pins.map((pin) => pin.model));
  const toPin = selected.filter((model) => !pinned.has(model.slug));
  const toUnpin = selected.filter((model) => pinned.has(model.slug));
  const edits =
    mayWrite && own
      ? [
          toPin.length > 0 && {
            label: t.pinSelected(toPin.length),
            run: () => pinning.mutate({ view: own, pins: [...pinned, ...toPin.map((model) => model.slug)] }),
          },
          toUnpin.length > 0 && {
            label: t.unpinSelected(toUnpin.length),
            run: () => {
              const gone = new Set(toUnpin.map((model) => model.slug));
              pinning.mutate({ view: own, pins: [...pinned].filter((slug) => !gone.has(slug)) });
            },
          },
          { label: t.change, run: () => setDialog('edit') },
          { label: t.delete, run: () => setDialog('delete') },
        ].filter((item) => item !== false)
      : [];
  return (
    <>
      <Button
        variant={filter.view ? 'contained' : 'outlined'}
        startIcon={<Icon path={mdiBookmarkOutline} />}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ maxWidth: 260 }}
      >
        <span style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
          {filter.view ? t.chosen(filter.view) : t.choose}
        </span>
      </Button>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        slotProps={{ paper: { sx: { maxHeight: 480, maxWidth: 420 } } }}
      >
        <MenuItem selected={filter.view === ''} onClick={close(() => choose(''))}>
          {t.allModels}
        </MenuItem>
        {rows.map((row) => (
          <MenuItem
            key={`${row.scope}/${row.name}`}
            selected={row.name === filter.view}
            onClick={close(() => choose(row.name))}
          >
            <ListItemText
              primary={row.name}
              secondary={filterText(row.filter)}
              slotProps={{ secondary: { noWrap: true } }}
            />
          </MenuItem>
        ))}
        <Divider component="li" />
        {mayWrite && <MenuItem onClick={close(() => setDialog('new'))}>{t.saveFilter}</MenuItem>}
        <MenuItem onClick={close(() => void copyLink())}>{t.copyLink}</MenuItem>
        {edits.map((item) => (
          <MenuItem key={item.label} onClick={close(item.run)}>
            {item.label}
          </MenuItem>
        ))}
      </Menu>
      {dialog === 'delete' && own && (
        <DeleteViewDialog org={org} row={own} onClose={() => setDialog(null)} onRemoved={() => choose('')} />
      )}
      {(dialog === 'new' || (dialog === 'edit' && own)) && (
        <Suspense>
          <ViewDialog
            org={org}
            row={dialog === 'edit' ? (own ?? null) : null}
            {...(dialog === 'new' ? { initial: formOfFilter(filter) } : {})}
            onClose={() => setDialog(null)}
            onSaved={choose}
          />
        </Suspense>
      )}
    </>
  );
});

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    notify(t.copied);
  } catch {
    notify(t.linkIs(location.href), { severity: 'info' });
  }
}

function usePins(org: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ view, pins }: { view: View; pins: string[] }) =>
      body(
        client.PUT('/v1/orgs/{org}/views/{view}', {
          params: { path: { org, view: view.name }, header: { 'If-Match': ifMatch(view.version) } },
          body: { filter: view.filter, pins, forAuto: view.forAuto },
        }),
      ),
    onSuccess: (_, { view }) => notify(t.pinsChanged(view.name)),
    onError: notifyError,
    onSettled: (_, __, { view }) => {
      void queryClient.invalidateQueries({ queryKey: listKey('views', org) });
      void queryClient.invalidateQueries({ queryKey: viewKey(org, view.name) });
    },
  });
}
