// What changes how the list looks, and nothing of the models: layout, columns, and the help for the keys.
import {
  mdiKeyboardOutline,
  mdiPlus,
  mdiRefresh,
  mdiTableColumn,
  mdiViewGridOutline,
  mdiViewListOutline,
} from '@mdi/js';
import Checkbox from '@mui/material/Checkbox';
import IconButton from '@mui/material/IconButton';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Tooltip from '@mui/material/Tooltip';
import { memo, useState } from 'react';

import { Icon } from '../../components/Icon';
import { useStore } from '../../store';
import { texts } from '../../texts';
import { chosenColumns, columns } from './columns';

const t = texts.models;
export type Layout = 'table' | 'cards';

export const LayoutSwitch = memo(function LayoutSwitch({
  layout,
  onLayout,
}: {
  layout: Layout;
  onLayout: (layout: Layout) => void;
}) {
  return (
    <ToggleButtonGroup
      size="small"
      exclusive
      value={layout}
      onChange={(_, next: Layout | null) => next && onLayout(next)}
      aria-label={t.layout}
    >
      <ToggleButton value="table" aria-label={t.table}>
        <Icon path={mdiViewListOutline} fontSize="small" />
      </ToggleButton>
      <ToggleButton value="cards" aria-label={t.cards}>
        <Icon path={mdiViewGridOutline} fontSize="small" />
      </ToggleButton>
    </ToggleButtonGroup>
  );
});

export const ColumnsMenu = memo(function ColumnsMenu() {
  const chosen = useStore(chosenColumns);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const toggle = (id: string) =>
    chosenColumns.set(chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id]);
  return (
    <>
      <Tooltip title={t.columns}>
        <IconButton aria-label={t.columns} aria-haspopup="menu" onClick={(event) => setAnchor(event.currentTarget)}>
          <Icon path={mdiTableColumn} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {columns
          .filter((column) => !column.fixed)
          .map((column) => (
            <MenuItem
              key={column.id}
              dense
              role="menuitemcheckbox"
              aria-checked={chosen.includes(column.id)}
              onClick={() => toggle(column.id)}
            >
              <Checkbox
                size="small"
                checked={chosen.includes(column.id)}
                tabIndex={-1}
                disableRipple
                slotProps={{ input: { 'aria-hidden': true, tabIndex: -1 } }}
              />
              <ListItemText primary={t.column[column.id]} />
            </MenuItem>
          ))}
      </Menu>
    </>
  );
});

export const AddButton = memo(function AddButton({ onAdd }: { onAdd: () => void }) {
  return (
    <Tooltip title={t.addOne.open}>
      <IconButton aria-label={t.addOne.open} aria-haspopup="dialog" onClick={onAdd}>
        <Icon path={mdiPlus} />
      </IconButton>
    </Tooltip>
  );
});

export const KeysHelp = memo(function KeysHelp() {
  return (
    <Tooltip title={t.keysHint} enterDelay={0}>
      <IconButton aria-label={t.keys} sx={{ display: { xs: 'none', md: 'inline-flex' } }}>
        <Icon path={mdiKeyboardOutline} />
      </IconButton>
    </Tooltip>
  );
});

export const RefreshButton = memo(function RefreshButton({
  busy,
  onRefresh,
}: {
  busy: boolean;
  onRefresh: () => void;
}) {
  return (
    <Tooltip title={texts.common.refresh}>
      <span>
        <IconButton aria-label={texts.common.refresh} disabled={busy} onClick={onRefresh}>
          <Icon
            path={mdiRefresh}
            sx={
              busy
                ? { animation: 'turn 1s linear infinite', '@keyframes turn': { to: { transform: 'rotate(360deg)' } } }
                : {}
            }
          />
        </IconButton>
      </span>
    </Tooltip>
  );
});
