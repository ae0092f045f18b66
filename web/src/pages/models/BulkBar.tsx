// Sticks to the bottom of the list while models are selected.
import { mdiClose, mdiDotsVertical } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import LinearProgress from '@mui/material/LinearProgress';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';

import type { Model } from '../../api/types';
import { Icon } from '../../components/Icon';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { GrantDialog, TagDialog } from './BulkDialogs';
import type { Who } from './grants';
import type { useBulk } from './useBulk';
import { areOneOfEachKind, useSetDefault } from './useSetDefault';

const t = texts.models;

interface Props {
  org: string;
  selected: Model[];
  notShown: number;
  bulk: ReturnType<typeof useBulk>;
  onClear: () => void;
}

export function BulkBar({ org, selected, notShown, bulk, onClear }: Props) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [dialog, setDialog] = useState<'addTag' | 'removeTag' | 'grant' | null>(null);
  const [who, setWho] = useState<Who>({ subjectKind: 'org', subject: '' });
  const mayGrant = useMay('org:grants:write');
  const mayDefault = useMay('org:defaults:write');
  const setDefault = useSetDefault(org);
  const { progress } = bulk;
  if (selected.length === 0 && !progress) return null;

  const set = (patch: { enabled: boolean } | { hidden: boolean }) =>
    bulk.change(selected, (model) => {
      const [field, value] = Object.entries(patch)[0] as ['enabled' | 'hidden', boolean];
      return Boolean(model[field]) === value ? null : patch;
    });
  const canBeDefaults = areOneOfEachKind(selected);
  const more = (action: () => void) => () => {
    setAnchor(null);
    action();
  };
  return (
    <Box
      role="region"
      aria-label={t.bulk.label}
      sx={{
        flexShrink: 0,
        m: 1,
        px: { xs: 1, sm: 2 },
        py: 1,
        borderRadius: '16px',
        bgcolor: 'surface.secondaryContainer',
        color: 'surface.onSecondaryContainer',
      }}
    >
      {progress ? (
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 2 }} role="status">
          <Box sx={{ flex: 1 }}>
            {t.bulk.working(progress.done, progress.total)}
            <LinearProgress
              variant="determinate"
              value={(100 * progress.done) / progress.total}
              aria-label={t.bulk.working(progress.done, progress.total)}
              sx={{ mt: 0.5, borderRadius: 2 }}
            />
          </Box>
          <Button color="inherit" onClick={bulk.stop}>
            {t.bulk.stop}
          </Button>
        </Box>
      ) : (
        <Box sx={{ display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: { xs: 0.5, sm: 1 } }}>
          <Box aria-live="polite" sx={{ flex: '1 1 auto', fontWeight: 500, minWidth: 0 }}>
            {t.bulk.selected(selected.length)}
            {notShown > 0 && (
              <Box component="span" sx={{ fontWeight: 400 }}>
                {' '}
                · {t.bulk.notShown(notShown)}
              </Box>
            )}
          </Box>
          <Button variant="contained" onClick={() => set({ enabled: true })}>
            {t.enable}
          </Button>
          <Button variant="outlined" color="inherit" onClick={() => set({ enabled: false })}>
            {t.disable}
          </Button>
          <Tooltip title={texts.common.more}>
            <IconButton
              color="inherit"
              aria-label={texts.common.more}
              aria-haspopup="menu"
              onClick={(e) => setAnchor(e.currentTarget)}
            >
              <Icon path={mdiDotsVertical} />
            </IconButton>
          </Tooltip>
          <Tooltip title={texts.common.clear}>
            <IconButton color="inherit" aria-label={texts.common.clear} onClick={onClear}>
              <Icon path={mdiClose} />
            </IconButton>
          </Tooltip>
          <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
            <MenuItem onClick={more(() => set({ hidden: true }))}>{t.bulk.hide}</MenuItem>
            <MenuItem onClick={more(() => set({ hidden: false }))}>{t.bulk.show}</MenuItem>
            <MenuItem onClick={more(() => setDialog('addTag'))}>{t.bulk.addTag}</MenuItem>
            <MenuItem onClick={more(() => setDialog('removeTag'))}>{t.bulk.removeTag}</MenuItem>
            {mayGrant && <MenuItem onClick={more(() => setDialog('grant'))}>{t.bulk.grant}</MenuItem>}
            {mayDefault && (
              <MenuItem
                disabled={!canBeDefaults}
                onClick={more(() => setDefault.mutate(selected))}
                title={canBeDefaults ? undefined : t.bulk.oneForDefault}
              >
                {t.bulk.makeDefault}
              </MenuItem>
            )}
          </Menu>
        </Box>
      )}
      {(dialog === 'addTag' || dialog === 'removeTag') && (
        <TagDialog
          remove={dialog === 'removeTag'}
          models={selected}
          onClose={() => setDialog(null)}
          onApply={(tag) => {
            setDialog(null);
            bulk.change(selected, (model) => {
              const has = model.tags.includes(tag);
              if (dialog === 'removeTag') return has ? { tags: model.tags.filter((other) => other !== tag) } : null;
              return has ? null : { tags: [...model.tags, tag] };
            });
          }}
        />
      )}
      {dialog === 'grant' && (
        <GrantDialog
          who={who}
          onClose={() => setDialog(null)}
          onApply={(next) => {
            setDialog(null);
            setWho(next);
            bulk.grant(selected, next);
          }}
        />
      )}
    </Box>
  );
}
