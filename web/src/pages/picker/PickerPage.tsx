import Box from '@mui/material/Box';
import Paper from '@mui/material/Paper';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { useState } from 'react';

import { ModelSelector } from '../../components/ModelSelector/ModelSelector';
import { useUsableModels } from '../../components/ModelSelector/usableModels';
import { useOrg } from '../../session/session';
import { texts } from '../../texts';

const t = texts.picker;

export default function PickerPage() {
  const org = useOrg();
  const [value, setValue] = useState('');
  const { usable, isPending } = useUsableModels(org);
  return (
    <Box sx={{ p: { xs: 2, sm: 3 }, maxWidth: 640 }}>
      <Stack sx={{ gap: 2 }}>
        <Typography variant="h1">{t.title}</Typography>
        <Typography color="textSecondary">{t.intro}</Typography>
        <ModelSelector org={org} value={value} onChange={setValue} />
        <Paper elevation={0} sx={{ p: 2, bgcolor: 'surface.container' }}>
          <Typography variant="h3" component="h2">
            {t.chosen}
          </Typography>
          {value ? <code>{value}</code> : t.nothingChosen}
        </Paper>
        {!isPending && <Typography color="textSecondary">{t.usable(usable.length)}</Typography>}
      </Stack>
    </Box>
  );
}
