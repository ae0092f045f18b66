// What the steps have collected. It outlives the page, so that a look at another page loses nothing. A key is not part of
// it: keys live in the step that asks for them, until they are stored.
import type { AuthType, Connection, ProviderTemplate } from '../../api/records';
import type { Kind } from '../../api/types';
import type { SecretHeader } from '../../components/SecretHeaders';
import { makeStore, type Store } from '../../store';
import { fieldFor } from '../connections/form';

/** What no store keeps. */
export interface Secrets {
  key: string;
  headers: SecretHeader[];
}

export interface Draft {
  step: number;
  kind: Kind | '';
  provider: string;
  name: string;
  baseUrl: string;
  authType: AuthType;
  authName: string;
  /** A key that is stored already, or '' for a new one. */
  credentialId: string;
  credentialLabel: string;
  /** Of the further secret headers; their values live where the key does. */
  headerNames: string[];
  onNew: 'disabled' | 'enabled';
  connection: Connection | null;
}

export const emptyDraft: Draft = {
  step: 0,
  kind: '',
  provider: '',
  name: '',
  baseUrl: '',
  authType: 'none',
  authName: '',
  credentialId: '',
  credentialLabel: '',
  headerNames: [],
  onNew: 'disabled',
  connection: null,
};

/** Before anything is entered, and when a draft comes back. */
export const emptySecrets = (draft: Draft): Secrets => ({
  key: '',
  headers: draft.headerNames.map((name) => ({ name, value: '' })),
});

const drafts = new Map<string, Store<Draft>>();

export function draftOf(org: string): Store<Draft> {
  let draft = drafts.get(org);
  if (!draft) drafts.set(org, (draft = makeStore(emptyDraft)));
  return draft;
}

/** A name that no connection has yet: ollama, ollama-2, … */
export function freeName(wanted: string, taken: readonly string[]): string {
  for (let i = 1; ; ++i) {
    const name = i === 1 ? wanted : `${wanted}-${i}`;
    if (!taken.includes(name)) return name;
  }
}

/** The fields of a provider's connection as they usually are. */
export function fromTemplate(template: ProviderTemplate, taken: readonly string[]): Partial<Draft> {
  const name = freeName(template.id, taken);
  const authType = template.authTypes[0] ?? 'none';
  return {
    provider: template.id,
    name,
    baseUrl: fieldFor(template, authType, 'baseUrl')?.default ?? template.defaultBaseUrl ?? '',
    authType,
    authName: fieldFor(template, authType, 'authName')?.default ?? '',
    credentialId: '',
    credentialLabel: name,
    headerNames: [],
  };
}
