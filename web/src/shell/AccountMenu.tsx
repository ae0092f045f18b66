import {
  mdiAccountCircleOutline,
  mdiLogout,
  mdiLogoutVariant,
  mdiThemeLightDark,
  mdiWeatherNight,
  mdiWeatherSunny,
} from '@mdi/js';
import Box from '@mui/material/Box';
import Divider from '@mui/material/Divider';
import IconButton from '@mui/material/IconButton';
import ListItemIcon from '@mui/material/ListItemIcon';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useColorScheme } from '@mui/material/styles';
import { useMutation } from '@tanstack/react-query';
import { Suspense, useState } from 'react';

import { Icon } from '../components/Icon';
import { notifyError } from '../components/Notices';
import { roleIn } from '../session/permissions';
import { logOut, useOrg, useSession } from '../session/session';
import { texts } from '../texts';
import { loadable } from './loadable';

const LogOutEverywhere = loadable(() => import('./LogOutEverywhere')).Shown;

const schemes = [
  { mode: 'light', icon: mdiWeatherSunny, label: texts.shell.theme.light },
  { mode: 'dark', icon: mdiWeatherNight, label: texts.shell.theme.dark },
  { mode: 'system', icon: mdiThemeLightDark, label: texts.shell.theme.system },
] as const;

export function AccountMenu() {
  const session = useSession();
  const org = useOrg();
  const role = roleIn(session, org);
  const { mode, setMode } = useColorScheme();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [asking, setAsking] = useState(false);
  const left = () => location.assign(session.logoutUrl ?? import.meta.env.BASE_URL);
  const leaving = useMutation({ mutationFn: () => logOut(false), onSuccess: left, onError: notifyError });
  return (
    <>
      <Tooltip title={texts.shell.account}>
        <IconButton aria-label={texts.shell.account} aria-haspopup="menu" onClick={(e) => setAnchor(e.currentTarget)}>
          <Icon path={mdiAccountCircleOutline} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <Box component="li" role="presentation" sx={{ px: 2, py: 1, maxWidth: 300 }}>
          <Typography sx={{ fontWeight: 500, overflowWrap: 'anywhere' }}>
            {session.user.name || session.user.subject}
          </Typography>
          {role && (
            <Typography variant="body2" color="textSecondary">
              {texts.shell.role[role]}. {texts.shell.roleHint[role]}.
            </Typography>
          )}
        </Box>
        <Divider component="li" role="presentation" />
        <Box component="li" role="presentation" sx={{ px: 2, py: 1.5 }}>
          <ToggleButtonGroup
            size="small"
            exclusive
            value={mode ?? 'system'}
            onChange={(_, next: 'light' | 'dark' | 'system' | null) => next && setMode(next)}
            aria-label={texts.shell.theme.label}
          >
            {schemes.map((scheme) => (
              <ToggleButton key={scheme.mode} value={scheme.mode} sx={{ gap: 0.75 }}>
                <Icon path={scheme.icon} fontSize="small" />
                {scheme.label}
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
        </Box>
        <Divider component="li" role="presentation" />
        <MenuItem onClick={() => leaving.mutate()} disabled={leaving.isPending}>
          <ListItemIcon>
            <Icon path={mdiLogout} />
          </ListItemIcon>
          {texts.shell.logOut}
        </MenuItem>
        <MenuItem
          onClick={() => {
            setAnchor(null);
            setAsking(true);
          }}
        >
          <ListItemIcon>
            <Icon path={mdiLogoutVariant} />
          </ListItemIcon>
          {texts.shell.logOutEverywhere}
        </MenuItem>
      </Menu>
      {asking && (
        <Suspense>
          <LogOutEverywhere onLeft={left} onClose={() => setAsking(false)} />
        </Suspense>
      )}
    </>
  );
}
