import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';

import type { Model } from '../../../api/types';
import { copyText } from '../../../components/copyText';
import { texts } from '../../../texts';
import css from './detail.module.css';

export function RawTab({ model }: { model: Model }) {
  const json = JSON.stringify(model, null, 2);
  return (
    <Stack sx={{ gap: 1 }}>
      <Stack direction="row" sx={{ alignItems: 'center', justifyContent: 'space-between' }}>
        <Typography color="textSecondary">{texts.detail.raw.hint}</Typography>
        <Button onClick={() => void copyText(json, texts.common.copied)}>{texts.detail.raw.copy}</Button>
      </Stack>
      <pre className={css.raw} tabIndex={0}>
        {json}
      </pre>
    </Stack>
  );
}
