import { mdiCheck, mdiMenuDown, mdiPlus } from '@mdi/js';
import Button from '@mui/material/Button';
import Divider from '@mui/material/Divider';
import InputAdornment from '@mui/material/InputAdornment';
import ListItemIcon from '@mui/material/ListItemIcon';
import ListItemText from '@mui/material/ListItemText';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useQueryClient } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';

import { Icon } from '../components/Icon';
import { notify } from '../components/Notices';
import { orgPath } from '../paths';
import { keptValue, useStore } from '../store';
import { platformOrg } from '../session/permissions';
import { organizationAsked, useMay, useOrg } from '../session/session';
import { texts } from '../texts';
import { loadable } from './loadable';
import { organizationsKey, useOrganizations } from './organizations';

const AddOrganization = loadable(() => import('./AddOrganizationDialog')).Shown;

export const lastOrg = keptValue('organization', '');

export function OrgSwitcher() {
  const org = useOrg();
  const { choices } = useOrganizations();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const adding = useStore(organizationAsked);
  const queryClient = useQueryClient();
  const mayAdd = useMay('platform:orgs:write');
  const name = choices.find((choice) => choice.id === org)?.name ?? org;
  if (!org) return null;
  if (choices.length < 2 && !mayAdd)
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
        {mayAdd && <Divider component="li" role="presentation" />}
        {mayAdd && (
          <MenuItem
            onClick={() => {
              setAnchor(null);
              organizationAsked.set(true);
            }}
          >
            <ListItemIcon>
              <Icon path={mdiPlus} />
            </ListItemIcon>
            {texts.shell.newOrganization.title}
          </MenuItem>
        )}
      </Menu>
      {adding && (
        <Suspense>
          <AddOrganization
            onAdded={(id, added) => {
              organizationAsked.set(false);
              notify(texts.shell.newOrganization.added(added));
              void queryClient.invalidateQueries({ queryKey: organizationsKey });
              void navigate(orgPath(id, 'overview'));
            }}
            onClose={() => organizationAsked.set(false)}
          />
        </Suspense>
      )}
    </>
  );
}
