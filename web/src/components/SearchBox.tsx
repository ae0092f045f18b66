import { mdiMagnify } from '@mdi/js';
import InputAdornment from '@mui/material/InputAdornment';
import TextField from '@mui/material/TextField';

import { Icon } from './Icon';

export function SearchBox(props: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <TextField
      type="search"
      value={props.value}
      onChange={(event) => props.onChange(event.target.value)}
      placeholder={props.label}
      slotProps={{
        htmlInput: { 'aria-label': props.label },
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <Icon path={mdiMagnify} fontSize="small" />
            </InputAdornment>
          ),
        },
      }}
      sx={{ mb: 2, width: { xs: '100%', sm: 320 } }}
    />
  );
}
