import Box from '@mui/material/Box';

import { formatNumber } from '../../format';
import { sharesOf } from './shares';

const tones = ['primary.main', 'secondary.main', 'success.main', 'warning.main'];

/** The models of a set with their shares. The bar repeats what the words say. */
export function ShareBar({ targets }: { targets: readonly { model: string; weight: number }[] }) {
  const shares = sharesOf(targets.map((target) => target.weight));
  if (targets.length === 1) return <>{targets[0]?.model}</>;
  return (
    <Box sx={{ minWidth: 0, maxWidth: 420 }}>
      <Box aria-hidden sx={{ display: 'flex', height: 8, borderRadius: 4, overflow: 'hidden', gap: '2px', mb: 0.5 }}>
        {targets.map((target, i) => (
          <Box key={target.model} sx={{ flexGrow: shares[i] ?? 0, bgcolor: tones[i % tones.length] }} />
        ))}
      </Box>
      {targets.map((target, i) => (
        <Box key={target.model} sx={{ display: 'flex', justifyContent: 'space-between', gap: 1 }}>
          <span style={{ overflowWrap: 'anywhere' }}>{target.model}</span>
          <span style={{ whiteSpace: 'nowrap' }}>{formatNumber(shares[i] ?? 0)} %</span>
        </Box>
      ))}
    </Box>
  );
}
