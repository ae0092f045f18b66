// What can be done with a connection, and the dialogs for it.
import { mdiDotsVertical } from '@mdi/js';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';

import type { Connection } from '../../api/records';
import { Icon } from '../../components/Icon';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { useSyncNow } from '../sync/syncNow';
import { DeleteConnection } from './DeleteConnection';
import { EditConnection } from './EditConnection';
import { TestDialog } from './TestDialog';
import { isOwn, usePause } from './useConnections';

const t = texts.connections;
type Opened = 'test' | 'edit' | 'delete' | null;

interface Props {
  org: string;
  connection: Connection;
  /** Buttons side by side instead of a menu. */
  wide?: boolean;
  onDeleted?: () => void;
}

export function ConnectionActions({ org, connection, wide, onDeleted }: Props) {
  const own = isOwn(connection, org);
  const mayTest = useMay('org:models:test') && own;
  const mayWrite = useMay('org:connections:write') && own;
  const maySync = useMay('org:sync:run') && own;
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [opened, setOpened] = useState<Opened>(null);
  const pause = usePause(org);
  const sync = useSyncNow(org);
  const close = () => setOpened(null);
  const actions = [
    // registry-sync answers no request for a connection whose sync is off.
    ...(maySync && connection.enabled && connection.syncEnabled
      ? [
          {
            label: texts.sync.now,
            run: () => void sync.start(connection),
            busy: sync.stateOf(connection.id)?.phase === 'running',
          },
        ]
      : []),
    ...(mayWrite
      ? [
          {
            label: connection.enabled ? t.pause : t.resume,
            run: () => pause.toggle(connection),
            busy: pause.change.isPending,
          },
          { label: t.edit, run: () => setOpened('edit') },
          { label: t.remove, run: () => setOpened('delete') },
        ]
      : []),
  ];
  return (
    <>
      {mayTest && (
        <Button
          variant={wide ? 'contained' : 'text'}
          size={wide ? 'medium' : 'small'}
          onClick={() => setOpened('test')}
        >
          {t.test}
        </Button>
      )}
      {wide &&
        actions.map((action) => (
          <Button key={action.label} variant="outlined" onClick={action.run} disabled={action.busy ?? false}>
            {action.label}
          </Button>
        ))}
      {!wide && actions.length > 0 && (
        <>
          <IconButton
            aria-label={t.more(connection.name)}
            aria-haspopup="menu"
            onClick={(event) => setAnchor(event.currentTarget)}
          >
            <Icon path={mdiDotsVertical} />
          </IconButton>
          <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
            {actions.map((action) => (
              <MenuItem
                key={action.label}
                disabled={action.busy ?? false}
                onClick={() => {
                  setAnchor(null);
                  action.run();
                }}
              >
                {action.label}
              </MenuItem>
            ))}
          </Menu>
        </>
      )}
      {opened === 'test' && <TestDialog org={org} connection={connection} onClose={close} />}
      {opened === 'edit' && <EditConnection org={org} connection={connection} onClose={close} />}
      {opened === 'delete' && (
        <DeleteConnection
          org={org}
          connection={connection}
          onClose={close}
          onDeleted={() => {
            close();
            onDeleted?.();
          }}
        />
      )}
    </>
  );
}
