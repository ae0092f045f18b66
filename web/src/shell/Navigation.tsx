import Box from '@mui/material/Box';
import List from '@mui/material/List';
import ListItem from '@mui/material/ListItem';
import ListItemButton from '@mui/material/ListItemButton';
import { NavLink } from 'react-router-dom';

import { Icon } from '../components/Icon';
import { type PageRoute, pages } from '../routes';
import { may, platformOrg } from '../session/permissions';
import { useOrg, useSession } from '../session/session';
import { texts } from '../texts';

/** Who looks at an entry may open it. Who opens it repeats what fails. */
function loadAhead(page: PageRoute) {
  page.load().catch(() => undefined);
}

/** A rail with short labels, and a list where there is room for one. */
export const railWidth = { sm: 88, lg: 232 };

export function Navigation({ wide = false }: { wide?: boolean }) {
  const session = useSession();
  const org = useOrg();
  if (!org) return null;
  const shown = pages.filter(
    (page) => !page.inner && may(session, org, page.permission) && (page.platform || org !== platformOrg),
  );
  const asList = wide ? 'row' : { sm: 'column', lg: 'row' };
  return (
    <Box component="nav" aria-label={texts.common.mainMenu}>
      <List sx={{ px: { xs: 1.5, sm: 1, lg: 1.5 }, py: 1, display: 'flex', flexDirection: 'column', gap: 0.5 }}>
        {shown.map((page) => (
          <ListItem key={page.path} disablePadding>
            <ListItemButton
              component={NavLink}
              to={`/orgs/${encodeURIComponent(org)}/${page.path}`}
              onPointerEnter={() => loadAhead(page)}
              onFocus={() => loadAhead(page)}
              sx={{
                flexDirection: asList,
                gap: wide ? 1.5 : { sm: 0.25, lg: 1.5 },
                borderRadius: wide ? 28 : { sm: 4, lg: 28 },
                px: wide ? 2 : { sm: 0.5, lg: 2 },
                py: wide ? 1.5 : { sm: 0.75, lg: 1.25 },
                fontSize: wide ? '0.9rem' : { sm: '0.72rem', lg: '0.9rem' },
                fontWeight: 500,
                textAlign: 'center',
                color: 'text.secondary',
                '& .pill': {
                  display: 'grid',
                  placeItems: 'center',
                  borderRadius: 16,
                  px: wide ? 0 : { sm: 2, lg: 0 },
                  py: wide ? 0 : { sm: 0.5, lg: 0 },
                },
                '&.active': {
                  color: 'surface.onSecondaryContainer',
                  bgcolor: wide ? 'surface.secondaryContainer' : { lg: 'surface.secondaryContainer' },
                },
                '&.active .pill': { bgcolor: 'surface.secondaryContainer' },
              }}
            >
              <span className="pill">
                <Icon path={page.icon} />
              </span>
              <span>{page.label}</span>
            </ListItemButton>
          </ListItem>
        ))}
      </List>
    </Box>
  );
}
