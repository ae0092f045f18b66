// What a part of the page shows while it has nothing to show.
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Skeleton from '@mui/material/Skeleton';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { type ReactNode, useEffect, useState } from 'react';

import { texts } from '../texts';
import { Icon } from './Icon';

/** Why there is nothing, and the next step. */
export function Empty(props: { icon: string; title: string; hint?: ReactNode; action?: ReactNode }) {
  return (
    <Stack sx={{ alignItems: 'center', textAlign: 'center', py: 6, px: 2, gap: 1 }}>
      <Box
        sx={{
          display: 'grid',
          placeItems: 'center',
          width: 64,
          height: 64,
          borderRadius: '50%',
          bgcolor: 'surface.secondaryContainer',
          color: 'surface.onSecondaryContainer',
        }}
      >
        <Icon path={props.icon} fontSize="large" />
      </Box>
      <Typography variant="h2" component="p">
        {props.title}
      </Typography>
      {props.hint && (
        <Typography component="div" color="textSecondary" sx={{ maxWidth: 480 }}>
          {props.hint}
        </Typography>
      )}
      {props.action}
    </Stack>
  );
}

export function Skeletons({ rows = 6, height = 56 }: { rows?: number; height?: number }) {
  return (
    <Stack role="status" aria-label={texts.common.loading} sx={{ gap: 0.5 }}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} variant="rounded" height={height} />
      ))}
      <SlowNote />
    </Stack>
  );
}

/** Appears when something takes longer than people wait without asking why. */
export function SlowNote({ afterMs = 1500 }: { afterMs?: number }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), afterMs);
    return () => clearTimeout(timer);
  }, [afterMs]);
  return slow ? (
    <Typography
      variant="body2"
      component="span"
      color="textSecondary"
      sx={{ display: 'block', p: 1, textAlign: 'center' }}
    >
      {texts.common.slow}
    </Typography>
  ) : null;
}

export function LinkButton(props: { href: string; children: ReactNode }) {
  return (
    <Button variant="contained" href={props.href} target="_blank" rel="noreferrer">
      {props.children}
    </Button>
  );
}
