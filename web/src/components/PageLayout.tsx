import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

interface Props {
  title: string;
  intro?: ReactNode;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** Above the title: the way back. */
  back?: ReactNode;
  children: ReactNode;
}

/** A page that scrolls as a whole: title, what it is for, actions, contents. */
export function PageLayout({ title, intro, actions, back, children }: Props) {
  return (
    <Box sx={{ width: '100%', maxWidth: 1200, px: { xs: 2, sm: 3 }, py: 2, boxSizing: 'border-box' }}>
      {back}
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1, mb: 2 }}>
        <Box sx={{ flex: '1 1 240px', minWidth: 0 }}>
          <Typography variant="h1" sx={{ overflowWrap: 'anywhere' }}>
            {title}
          </Typography>
          {intro && (
            <Typography component="div" color="textSecondary" sx={{ maxWidth: 720, mt: 0.5 }}>
              {intro}
            </Typography>
          )}
        </Box>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1 }}>{actions}</Box>
      </Box>
      {children}
    </Box>
  );
}

/** A part of a page under a heading of its own. */
export function Section({
  title,
  hint,
  actions,
  children,
}: {
  title: string;
  hint?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Box component="section" aria-label={title} sx={{ mb: 4 }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1, mb: 1 }}>
        <Box sx={{ flex: '1 1 240px' }}>
          <Typography variant="h2">{title}</Typography>
          {hint && (
            <Typography variant="body2" component="div" color="textSecondary">
              {hint}
            </Typography>
          )}
        </Box>
        {actions}
      </Box>
      {children}
    </Box>
  );
}
