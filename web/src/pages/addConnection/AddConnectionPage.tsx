import { mdiArrowLeft, mdiLockOutline } from '@mdi/js';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Step from '@mui/material/Step';
import StepLabel from '@mui/material/StepLabel';
import Stepper from '@mui/material/Stepper';
import Typography from '@mui/material/Typography';
import { useEffect, useRef, useState } from 'react';
import { Link as RouterLink, useNavigate } from 'react-router-dom';

import { useProviders } from '../../api/lists';
import { Icon } from '../../components/Icon';
import { notify } from '../../components/Notices';
import { PageLayout } from '../../components/PageLayout';
import { Empty } from '../../components/States';
import { orgPath } from '../../paths';
import { useMay, useOrg } from '../../session/session';
import { useStore } from '../../store';
import { texts } from '../../texts';
import { useConnections } from '../connections/useConnections';
import { useSyncNow } from '../sync/syncNow';
import { ConnectionStep, missingIn } from './ConnectionStep';
import { DefaultsStep } from './DefaultsStep';
import { type Draft, draftOf, emptyDraft, emptySecrets, fromTemplate } from './draft';
import { ModelsStep } from './ModelsStep';
import { KindStep, ProviderStep } from './ProviderSteps';
import { TestStep } from './TestStep';

const t = texts.addConnection;
const [kindStep, providerStep, connectionStep, testStep, modelsStep, defaultsStep] = [0, 1, 2, 3, 4, 5];

export default function AddConnectionPage() {
  const org = useOrg();
  const mayWrite = useMay('org:connections:write');
  const navigate = useNavigate();
  const store = draftOf(org);
  const draft = useStore(store);
  // The key and the headers live here and nowhere else; they are forgotten when they are stored, and with the page.
  const [secrets, setSecrets] = useState(() => emptySecrets(draft));
  const connections = useConnections(org);
  const template = useProviders().data?.find((row) => row.id === draft.provider);
  const sync = useSyncNow(org);
  const set = (patch: Partial<Draft>) => store.set({ ...store.get(), ...patch });
  const forget = () => {
    setSecrets(emptySecrets(emptyDraft));
    set({ headerNames: [] });
  };
  const taken = (connections.data ?? []).map((row) => row.name);
  const missing = missingIn(draft, secrets, taken, template);
  // A draft that comes back without its key goes back to the step that asks for it.
  const keyGone = draft.step === testStep && (missing === t.keyNeeded || missing === texts.credentials.headersHalf);
  const step = keyGone ? connectionStep : draft.step;

  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [step]);

  const finish = () => {
    const { connection } = store.get();
    store.set(emptyDraft);
    notify(t.done);
    void navigate(connection ? orgPath(org, 'connections', connection.id) : orgPath(org, 'connections'));
  };
  const back = (
    <Button
      component={RouterLink}
      to={orgPath(org, 'connections')}
      startIcon={<Icon path={mdiArrowLeft} />}
      sx={{ ml: -1, mb: 1 }}
    >
      {texts.connections.all}
    </Button>
  );
  if (!mayWrite) return <Empty icon={mdiLockOutline} title={t.forbidden} hint={t.forbiddenHint} />;
  return (
    <PageLayout
      title={t.title}
      back={back}
      actions={
        step > kindStep && (
          <Button
            onClick={() => {
              setSecrets(emptySecrets(emptyDraft));
              store.set(emptyDraft);
            }}
          >
            {t.startOver}
          </Button>
        )
      }
    >
      <Stepper activeStep={step} alternativeLabel sx={{ mb: 3, display: { xs: 'none', md: 'flex' } }}>
        {t.steps.map((name) => (
          <Step key={name}>
            <StepLabel>{name}</StepLabel>
          </Step>
        ))}
      </Stepper>
      <Typography color="textSecondary" sx={{ display: { md: 'none' } }}>
        {t.step(step + 1, t.steps.length, t.steps[step] ?? '')}
      </Typography>
      <Typography variant="h2" ref={heading} tabIndex={-1} sx={{ mb: 2, outline: 'none' }}>
        {t.headings[step]}
      </Typography>
      {step === kindStep && <KindStep kind={draft.kind} onChoose={(kind) => set({ kind, step: providerStep })} />}
      {step === providerStep && (
        <ProviderStep
          kind={draft.kind}
          provider={draft.provider}
          onChoose={(template) => {
            // The same provider again keeps what was typed.
            if (template.id !== draft.provider) setSecrets(emptySecrets(emptyDraft));
            set({ ...(template.id === draft.provider ? {} : fromTemplate(template, taken)), step: connectionStep });
          }}
        />
      )}
      {step === connectionStep && (
        <>
          {keyGone && (
            <Alert severity="info" sx={{ mb: 2 }}>
              {t.keyGone}
            </Alert>
          )}
          <ConnectionStep
            org={org}
            draft={draft}
            secrets={secrets}
            onChange={set}
            onSecrets={(next) => {
              setSecrets(next);
              set({ headerNames: next.headers.map((row) => row.name) });
            }}
          />
        </>
      )}
      {step === testStep && (
        <TestStep
          org={org}
          draft={draft}
          secrets={secrets}
          onChange={set}
          onStored={forget}
          onSaved={(connection) => {
            forget();
            set({ connection, step: modelsStep });
            void sync.start(connection);
          }}
        />
      )}
      {step === modelsStep && draft.connection && (
        <ModelsStep org={org} connection={draft.connection} onDone={() => set({ step: defaultsStep })} />
      )}
      {step === defaultsStep && draft.connection && (
        <DefaultsStep org={org} connection={draft.connection} onDone={finish} />
      )}
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1, mt: 3 }}>
        {step > kindStep && step !== modelsStep && (
          <Button variant="outlined" onClick={() => set({ step: step - 1 })}>
            {texts.common.back}
          </Button>
        )}
        {step === connectionStep && (
          <>
            <Button variant="contained" disabled={missing !== ''} onClick={() => set({ step: testStep })}>
              {texts.common.next}
            </Button>
            <Typography variant="body2" color="textSecondary" role="status">
              {missing}
            </Typography>
          </>
        )}
      </Box>
    </PageLayout>
  );
}
