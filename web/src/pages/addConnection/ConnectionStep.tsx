// The third and fourth step: the connection's fields with its key, and the test of them before anything is stored.
import Link from '@mui/material/Link';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';

import { useList, useProviders } from '../../api/lists';
import type { CredentialField, ProviderTemplate } from '../../api/records';
import { Choice } from '../../components/fields';
import { SecretField } from '../../components/SecretField';
import { isHalf, SecretHeaders } from '../../components/SecretHeaders';
import { useMay } from '../../session/session';
import { texts } from '../../texts';
import { fieldFor, fieldsFor } from '../connections/form';
import { isBaseUrl, isName } from '../connections/settings';
import { useConnections } from '../connections/useConnections';
import type { Draft, Secrets } from './draft';

const t = texts.addConnection;
const tc = texts.connections;

interface Props {
  org: string;
  draft: Draft;
  secrets: Secrets;
  onChange: (patch: Partial<Draft>) => void;
  onSecrets: (secrets: Secrets) => void;
}

/** Why the step is not complete, in the order of the fields; '' where it is. */
export function missingIn(
  draft: Draft,
  secrets: Secrets,
  taken: readonly string[],
  template: ProviderTemplate | undefined,
): string {
  if (!isName(draft.name)) return tc.nameHint;
  if (taken.includes(draft.name.trim())) return tc.nameTaken;
  if (!isBaseUrl(draft.baseUrl)) return tc.urlHint;
  const authName = fieldFor(template, draft.authType, 'authName');
  if (authName?.required && !draft.authName.trim()) return t.fieldNeeded(authName.label);
  if (draft.authType === 'none' || draft.credentialId) return '';
  if (!secrets.key) return t.keyNeeded;
  if (secrets.headers.some(isHalf)) return texts.credentials.headersHalf;
  return '';
}

export function ConnectionStep({ org, draft, secrets, onChange, onSecrets }: Props) {
  const providers = useProviders();
  const template = providers.data?.find((row) => row.id === draft.provider);
  const taken = (useConnections(org).data ?? []).map((row) => row.name);
  const isTaken = taken.includes(draft.name.trim());
  const fields = fieldsFor(template, draft.authType);
  const address = fields.find((field) => field.name === 'baseUrl');
  const isWrongUrl = draft.baseUrl !== '' && !isBaseUrl(draft.baseUrl);
  return (
    <Stack sx={{ gap: 2, maxWidth: 560 }}>
      <TextField
        label={tc.name}
        required
        value={draft.name}
        error={isTaken || (draft.name !== '' && !isName(draft.name))}
        helperText={isTaken ? tc.nameTaken : tc.nameHint}
        onChange={(event) => onChange({ name: event.target.value })}
      />
      <TextField
        label={address?.label ?? tc.address}
        required
        type="url"
        value={draft.baseUrl}
        placeholder={address?.example ?? template?.defaultBaseUrl ?? 'https://'}
        error={isWrongUrl}
        helperText={
          <>
            {isWrongUrl ? tc.urlHint : (address?.help ?? tc.urlHint)}
            {template?.docUrl && (
              <>
                {' · '}
                <Link href={template.docUrl} target="_blank" rel="noreferrer">
                  {t.docs}
                </Link>
              </>
            )}
          </>
        }
        onChange={(event) => onChange({ baseUrl: event.target.value })}
      />
      <Choice
        label={tc.auth}
        value={draft.authType}
        options={(template?.authTypes ?? [draft.authType]).map((value) => ({ value, label: tc.authType[value] }))}
        onChange={(authType) =>
          onChange({ authType, authName: fieldFor(template, authType, 'authName')?.default ?? '' })
        }
      />
      {fields
        .filter((field) => field !== address)
        .map((field) =>
          field.name === 'secret' ? (
            <KeyChoice
              key={field.name}
              field={field}
              org={org}
              draft={draft}
              secrets={secrets}
              onChange={onChange}
              onSecrets={onSecrets}
            />
          ) : (
            <TextField
              key={field.name}
              label={field.label}
              required={field.required}
              value={draft.authName}
              placeholder={field.example ?? ''}
              helperText={field.help}
              autoComplete="off"
              onChange={(event) => onChange({ authName: event.target.value })}
            />
          ),
        )}
      <Choice
        label={tc.onNew}
        value={draft.onNew}
        hint={t.onNewHint}
        options={(['disabled', 'enabled'] as const).map((value) => ({ value, label: tc.onNewName[value] }))}
        onChange={(onNew) => onChange({ onNew })}
      />
    </Stack>
  );
}

/** A new key, or one that is stored already. */
function KeyChoice({ field, org, draft, secrets, onChange, onSecrets }: Props & { field: CredentialField }) {
  const mayRead = useMay('org:credentials:read');
  const credentials = useList('credentials', org, { enabled: mayRead });
  const fitting = (credentials.data ?? []).filter((row) => row.provider === draft.provider && !row.revokedAt);
  return (
    <>
      {(fitting.length > 0 || draft.credentialId) && (
        <Choice
          label={tc.credential}
          value={draft.credentialId}
          options={[
            { value: '', label: t.newKey },
            ...fitting.map((row) => ({ value: row.id, label: tc.keyEnding(row.label, row.last4) })),
            ...(draft.credentialId && !fitting.some((row) => row.id === draft.credentialId)
              ? [{ value: draft.credentialId, label: draft.credentialLabel }]
              : []),
          ]}
          onChange={(credentialId) => onChange({ credentialId })}
        />
      )}
      {!draft.credentialId && (
        <>
          <SecretField
            label={field.label}
            hint={[field.help, t.keyHint].filter(Boolean).join(' ')}
            value={secrets.key}
            onChange={(key) => onSecrets({ ...secrets, key })}
          />
          <TextField
            label={t.keyLabel}
            value={draft.credentialLabel}
            helperText={t.keyLabelHint}
            onChange={(event) => onChange({ credentialLabel: event.target.value })}
          />
          <SecretHeaders rows={secrets.headers} onChange={(headers) => onSecrets({ ...secrets, headers })} />
        </>
      )}
    </>
  );
}
