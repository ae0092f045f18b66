// What a connection asks for: the form of its provider, or, where the server has none for it, what its kind of login needs.
import type { AuthType, CredentialField, ProviderTemplate } from '../../api/records';
import { texts } from '../../texts';

const t = texts.addConnection;
const tc = texts.connections;

function usual(authType: AuthType): CredentialField[] {
  const field = (name: CredentialField['name'], label: string, help: string, required: boolean) => ({
    name,
    label,
    help,
    required,
    secret: name === 'secret',
    authTypes: [authType],
  });
  return [
    field('baseUrl', tc.address, tc.urlHint, true),
    ...(authType === 'header' || authType === 'query' ? [field('authName', tc.authName, tc.authNameHint, false)] : []),
    ...(authType === 'basic' ? [field('authName', t.user, '', true)] : []),
    ...(authType === 'none' ? [] : [field('secret', authType === 'basic' ? t.password : t.key, '', true)]),
  ];
}

/** In the order in which they are shown. */
export function fieldsFor(template: ProviderTemplate | undefined, authType: AuthType): CredentialField[] {
  const own = (template?.credentialForm?.fields ?? []).filter((field) => field.authTypes.includes(authType));
  return own.length > 0 ? own : usual(authType);
}

export const fieldFor = (template: ProviderTemplate | undefined, authType: AuthType, name: CredentialField['name']) =>
  fieldsFor(template, authType).find((field) => field.name === name);
