import { mdiEyeOffOutline, mdiEyeOutline } from '@mdi/js';
import IconButton from '@mui/material/IconButton';
import InputAdornment from '@mui/material/InputAdornment';
import TextField from '@mui/material/TextField';
import { useState } from 'react';

import { texts } from '../texts';
import { Icon } from './Icon';

interface SecretProps {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
}

/** A field for a key. The browser is asked not to keep it, and it is shown only on request. */
export function SecretField({ label, hint, value, onChange }: SecretProps) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      label={label}
      required
      type={shown ? 'text' : 'password'}
      value={value}
      helperText={hint}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{
        htmlInput: { autoComplete: 'new-password', spellCheck: false, 'data-1p-ignore': true },
        input: {
          endAdornment: (
            <InputAdornment position="end">
              <IconButton
                aria-label={shown ? texts.common.hideKey : texts.common.showKey}
                aria-pressed={shown}
                onClick={() => setShown(!shown)}
                edge="end"
              >
                <Icon path={shown ? mdiEyeOffOutline : mdiEyeOutline} />
              </IconButton>
            </InputAdornment>
          ),
        },
      }}
    />
  );
}
