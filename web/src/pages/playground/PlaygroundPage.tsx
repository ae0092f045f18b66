import { mdiChatOutline, mdiSend, mdiStop } from '@mdi/js';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useEffect, useRef } from 'react';

import { Icon } from '../../components/Icon';
import { ModelSelector } from '../../components/ModelSelector/ModelSelector';
import { Empty } from '../../components/States';
import { useOrg } from '../../session/session';
import { texts } from '../../texts';
import { TurnView } from './TurnView';
import { useChat } from './useChat';

const t = texts.playground;

export default function PlaygroundPage() {
  const org = useOrg();
  const chat = useChat(org);
  const { settings, setSettings, turns, busy, typed } = chat;
  const end = useRef<HTMLDivElement>(null);
  const answered = turns[turns.length - 1]?.answer;
  useEffect(() => {
    // Browsers may give back a promise, which is no clean-up for React.
    void end.current?.scrollIntoView({ block: 'nearest' });
  }, [answered, turns.length]);
  const send = () => {
    const question = typed.trim();
    if (!question || busy) return;
    chat.setTyped('');
    void chat.ask(question);
  };
  return (
    <Box sx={{ flex: 1, minHeight: 0, display: 'flex', flexDirection: { xs: 'column', lg: 'row' } }}>
      <Stack sx={{ gap: 2, p: { xs: 2, sm: 3 }, width: { lg: 340 }, flexShrink: 0 }}>
        <Typography variant="h1">{t.title}</Typography>
        <Typography color="textSecondary" sx={{ display: { xs: 'none', sm: 'block' } }}>
          {t.intro}
        </Typography>
        <ModelSelector
          org={org}
          kind="generation"
          label={t.model}
          value={settings.model}
          onChange={(model) => setSettings({ ...settings, model })}
        />
        <Box component="details" sx={{ '& > summary': { cursor: 'pointer', color: 'text.secondary' } }}>
          <summary>{t.settings}</summary>
          <Stack sx={{ gap: 2, pt: 2 }}>
            <TextField
              label={t.system}
              helperText={t.systemHint}
              multiline
              maxRows={6}
              value={settings.system}
              onChange={(e) => setSettings({ ...settings, system: e.target.value })}
            />
            <TextField
              type="number"
              label={t.temperature}
              value={settings.temperature}
              onChange={(e) => setSettings({ ...settings, temperature: e.target.value })}
              slotProps={{ htmlInput: { min: 0, max: 2, step: 'any' } }}
            />
            <TextField
              type="number"
              label={t.maxTokens}
              value={settings.maxTokens}
              onChange={(e) => setSettings({ ...settings, maxTokens: e.target.value })}
              slotProps={{ htmlInput: { min: 1, step: 1 } }}
            />
          </Stack>
        </Box>
        {turns.length > 0 && !busy && (
          <Button sx={{ alignSelf: 'flex-start' }} onClick={chat.clear}>
            {t.newChat}
          </Button>
        )}
      </Stack>
      <Box
        sx={{
          flex: 1,
          minHeight: 0,
          minWidth: 0,
          display: 'flex',
          flexDirection: 'column',
          borderLeft: { lg: 1 },
          borderColor: { lg: 'divider' },
        }}
      >
        <Box
          sx={{ flex: 1, minHeight: 160, overflowY: 'auto', p: { xs: 2, sm: 3 } }}
          tabIndex={0}
          aria-label={t.title}
          role="region"
        >
          {turns.length === 0 ? (
            <Empty icon={mdiChatOutline} title={t.empty} hint={t.emptyHint} />
          ) : (
            <Box
              component="ol"
              sx={{ m: '0 auto', p: 0, maxWidth: 780, display: 'flex', flexDirection: 'column', gap: 3 }}
            >
              {turns.map((turn, i) => (
                <TurnView key={i} turn={turn} onAgain={() => void chat.ask(turn.question)} />
              ))}
            </Box>
          )}
          <div ref={end} />
        </Box>
        <Box
          component="form"
          sx={{
            display: 'flex',
            gap: 1,
            alignItems: 'flex-end',
            p: { xs: 1, sm: 2 },
            maxWidth: 820,
            width: '100%',
            mx: 'auto',
          }}
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          <TextField
            fullWidth
            multiline
            maxRows={8}
            label={t.message}
            placeholder={t.messageHint}
            value={typed}
            onChange={(e) => chat.setTyped(e.target.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
              event.preventDefault();
              send();
            }}
          />
          {busy ? (
            <IconButton color="primary" aria-label={t.stop} onClick={chat.stop}>
              <Icon path={mdiStop} />
            </IconButton>
          ) : (
            <IconButton type="submit" color="primary" aria-label={t.send} disabled={!typed.trim()}>
              <Icon path={mdiSend} />
            </IconButton>
          )}
        </Box>
      </Box>
    </Box>
  );
}
