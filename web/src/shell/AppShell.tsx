// The frame of every page: top bar, navigation as a drawer, a rail or a list with labels by width, and the banner that
// reports the connection.
import { mdiMenu } from '@mdi/js';
import AppBar from '@mui/material/AppBar';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Drawer from '@mui/material/Drawer';
import IconButton from '@mui/material/IconButton';
import Toolbar from '@mui/material/Toolbar';
import Typography from '@mui/material/Typography';
import { useEffect, useState } from 'react';
import { Outlet, useLocation } from 'react-router-dom';

import { Icon } from '../components/Icon';
import { texts } from '../texts';
import { AccountMenu } from './AccountMenu';
import { ConnectionBanner } from './ConnectionBanner';
import { Navigation, railWidth } from './Navigation';
import { OrgSwitcher } from './OrgSwitcher';

export function AppShell() {
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  useEffect(() => setOpen(false), [pathname]);
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', height: '100dvh', bgcolor: 'surface.low' }}>
      <Button
        href="#content"
        sx={{
          position: 'absolute',
          left: 8,
          top: -80,
          zIndex: 2000,
          bgcolor: 'background.paper',
          '&:focus': { top: 8 },
        }}
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {texts.common.skipToContent}
      </Button>
      <AppBar position="static" elevation={0} color="transparent" sx={{ color: 'text.primary' }}>
        <Toolbar sx={{ gap: 1, minHeight: { xs: 56, sm: 64 }, px: { xs: 1, sm: 2 } }}>
          <IconButton
            aria-label={texts.common.openMenu}
            aria-expanded={open}
            onClick={() => setOpen(true)}
            sx={{ display: { sm: 'none' } }}
          >
            <Icon path={mdiMenu} />
          </IconButton>
          <Box
            component="img"
            src={`${import.meta.env.BASE_URL}icon.svg`}
            alt=""
            sx={{ width: 32, height: 32, mx: 1, display: { xs: 'none', sm: 'block' } }}
          />
          <Typography
            component="span"
            sx={{ fontSize: '1.15rem', fontWeight: 500, display: { xs: 'none', md: 'block' } }}
          >
            {texts.common.appName}
          </Typography>
          <Box sx={{ flex: 1, minWidth: 0, pl: { sm: 2 } }}>
            <OrgSwitcher />
          </Box>
          <AccountMenu />
        </Toolbar>
      </AppBar>
      <ConnectionBanner />
      <Box sx={{ display: 'flex', flex: 1, minHeight: 0 }}>
        <Box sx={{ display: { xs: 'none', sm: 'block' }, width: railWidth, flexShrink: 0, overflowY: 'auto' }}>
          <Navigation />
        </Box>
        <Drawer
          open={open}
          onClose={() => setOpen(false)}
          slotProps={{ paper: { sx: { width: 280, borderRadius: '0 16px 16px 0', pt: 1 } } }}
        >
          <Navigation wide />
        </Drawer>
        <Box
          component="main"
          id="content"
          tabIndex={-1}
          sx={{
            flex: 1,
            minWidth: 0,
            minHeight: 0,
            display: 'flex',
            flexDirection: 'column',
            bgcolor: 'background.paper',
            borderTopLeftRadius: { sm: 24 },
            overflow: 'auto',
            outline: 'none',
          }}
        >
          <Outlet />
        </Box>
      </Box>
    </Box>
  );
}
