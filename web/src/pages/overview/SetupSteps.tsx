import { mdiCheckCircle, mdiCircleOutline } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { Link as RouterLink } from 'react-router-dom';

import { Icon } from '../../components/Icon';
import { Section } from '../../components/PageLayout';
import { orgPath } from '../../paths';
import { platformOrg } from '../../session/permissions';
import { useMay } from '../../session/session';
import { texts } from '../../texts';

const t = texts.overview;
type Done = Record<'connection' | 'models' | 'default', boolean>;

/** The way of a new organisation. It goes away when it is walked, and where a part of it could not be read. */
export function SetupSteps({ org, done, known }: { org: string; done: Done; known: boolean }) {
  const may = {
    connection: useMay('org:connections:write'),
    models: useMay('org:models:write'),
    default: useMay('org:defaults:write'),
    try: useMay('org:models:use') && org !== platformOrg,
  };
  if (!known || (done.connection && done.models && done.default)) return null;
  const steps = [
    { id: 'connection', path: ['connections', 'new'], done: done.connection },
    { id: 'models', path: ['models'], done: done.models },
    { id: 'default', path: ['defaults'], done: done.default },
    { id: 'try', path: ['playground'], done: false },
  ] as const;
  const next = steps.find((step) => !step.done);
  return (
    <Section title={t.setup}>
      <Box
        component="ol"
        sx={{
          listStyle: 'none',
          m: 0,
          p: 0,
          display: 'grid',
          gridTemplateColumns: 'repeat(auto-fill, minmax(220px, 1fr))',
          gap: 2,
        }}
      >
        {steps.map((step) => (
          <Box
            component="li"
            key={step.id}
            sx={{
              p: 2,
              borderRadius: 1.5,
              bgcolor: step === next ? 'surface.secondaryContainer' : 'surface.low',
              color: step === next ? 'surface.onSecondaryContainer' : 'text.primary',
            }}
          >
            <Typography sx={{ display: 'flex', gap: 1, fontWeight: 500 }}>
              <Icon
                path={step.done ? mdiCheckCircle : mdiCircleOutline}
                {...(step.done ? { title: t.stepDone, color: 'success' as const } : {})}
              />
              {t.steps[step.id].title}
            </Typography>
            <Typography variant="body2" sx={{ my: 1 }}>
              {t.steps[step.id].text}
            </Typography>
            {step === next && may[step.id] && (
              <Button variant="contained" component={RouterLink} to={orgPath(org, ...step.path)}>
                {t.steps[step.id].action}
              </Button>
            )}
          </Box>
        ))}
      </Box>
    </Section>
  );
}
