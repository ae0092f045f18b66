import { mdiCheck, mdiMenuDown } from '@mdi/js';
import Button from '@mui/material/Button';
import InputAdornment from '@mui/material/InputAdornment';
import ListItemIcon from '@mui/material/ListItemIcon';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';

import { Icon } from '../components/Icon';
import { keptValue } from '../store';
import { platformOrg } from '../session/permissions';
import { useOrg } from '../session/session';
import { texts } from '../texts';
import { useOrganizations } from './organizations';

export const lastOrg = keptValue('organization', '');

export function OrgSwitcher() {
  const org = useOrg();
  const { choices } = useOrganizations();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const name = choices.find((choice) => choice.id === org)?.name ?? org;
  if (!org) return null;
  if (choices.length < 2)
    return <span style={{ fontWeight: 500, overflow: 'hidden', textOverflow: 'ellipsis' }}>{name}</span>;
  return (
    <>
      <Button
        onClick={(event) => setAnchor(event.currentTarget)}
        aria-haspopup="menu"
        aria-label={`${texts.shell.organization}: ${name}`}
        sx={{ color: 'text.primary', bgcolor: 'surface.container', maxWidth: '100%', pl: 2 }}
      >
        <span style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>{name}</span>
        <InputAdornment position="end" sx={{ ml: 0.5 }}>
          <Icon path={mdiMenuDown} />
        </InputAdornment>
      </Button>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        slotProps={{ paper: { sx: { maxHeight: 420, minWidth: 240 } } }}
      >
        {choices.map((choice) => (
          <MenuItem
            key={choice.id}
            selected={choice.id === org}
            onClick={() => {
              setAnchor(null);
              lastOrg.set(choice.id);
              // The same page of the other organisation.
              const page = pathname.split('/')[3] ?? 'models';
              void navigate(`/orgs/${encodeURIComponent(choice.id)}/${page}`);
            }}
          >
            <ListItemIcon>{choice.id === org && <Icon path={mdiCheck} />}</ListItemIcon>
            <ListItemText
              primary={choice.name}
              secondary={choice.id === platformOrg ? texts.shell.platformHint : choice.id}
            />
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
