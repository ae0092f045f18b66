// Who may do what: each role with what it may do beyond the one before.
import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Typography from '@mui/material/Typography';

import { Section } from '../../components/PageLayout';
import { permissionsOf } from '../../session/permissions';
import { texts } from '../../texts';
import { orgRoles, permissionName } from './roles';

const t = texts.members;

export function RolesSection() {
  return (
    <Section title={t.rolesTitle} hint={t.rolesHint}>
      <Box sx={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(220px, 1fr))', gap: 2, mt: 2 }}>
        {orgRoles.map((role, i) => {
          const before = orgRoles[i - 1];
          const known = before ? permissionsOf[before] : [];
          return (
            <Paper key={role} variant="outlined" sx={{ p: 2 }}>
              <Typography variant="h3">{texts.shell.role[role]}</Typography>
              {before && (
                <Typography variant="body2" color="textSecondary">
                  {t.roleBefore(texts.shell.role[before])}
                </Typography>
              )}
              <ul style={{ margin: '8px 0 0', paddingLeft: 20 }}>
                {permissionsOf[role]
                  .filter((permission) => !known.includes(permission))
                  .map((permission) => (
                    <li key={permission} title={permission}>
                      {permissionName(permission)}
                    </li>
                  ))}
              </ul>
            </Paper>
          );
        })}
      </Box>
    </Section>
  );
}
