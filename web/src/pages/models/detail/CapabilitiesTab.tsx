import Box from '@mui/material/Box';
import Stack from '@mui/material/Stack';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';

import type { Support } from '../../../api/types';
import { capabilityName } from '../../../components/chips';
import { texts } from '../../../texts';
import { isReset, setField, valueIn } from './draft';
import { type EditProps, Source } from './FieldRow';

const t = texts.detail;
const states: Support[] = ['supported', 'unsupported', 'unknown'];

export function CapabilitiesTab(props: EditProps) {
  const { draft, setDraft, editable } = props;
  const held = (valueIn(draft, 'capabilities') ?? {}) as Record<string, Support>;
  const names = [...new Set([...Object.keys(texts.models.capability), ...Object.keys(held)])];
  const set = (name: string, support: Support) => {
    const next = { ...held, [name]: support };
    // Unknown is the absence of an answer, unless there is one to take back.
    if (support === 'unknown' && !(name in draft.base.capabilities)) delete next[name];
    setDraft((d) => setField(d, 'capabilities', next));
  };
  return (
    <Stack sx={{ gap: 1 }}>
      <Typography color="textSecondary" variant="body2">
        {t.capabilitiesHint} {editable && draft.base.scope !== 'organization' && t.capabilitiesWhole}
      </Typography>
      <Source {...props} name="capabilities" />
      {names.map((name) => (
        <Box
          key={name}
          sx={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 1, flexWrap: 'wrap' }}
        >
          <span id={`capability-${name}`}>{capabilityName(name)}</span>
          <ToggleButtonGroup
            exclusive
            size="small"
            value={held[name] ?? 'unknown'}
            disabled={!editable || isReset(draft, 'capabilities')}
            onChange={(_, next: Support | null) => next && set(name, next)}
            aria-label={t.supportLabel(capabilityName(name))}
          >
            {states.map((state) => (
              <ToggleButton key={state} value={state} sx={{ py: 0.5, px: 1.5 }}>
                {t.support[state]}
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
        </Box>
      ))}
    </Stack>
  );
}
