// The fields of a model that people may set, and how each is edited.
import type { Model, ModelPatch } from '../../../api/types';
import { texts } from '../../../texts';

export type FieldName = keyof ModelPatch & keyof Model;
type Control = 'text' | 'lines' | 'count' | 'switch' | 'time' | 'tags' | 'choice' | 'capabilities' | 'json';

export interface Field {
  name: FieldName;
  control: Control;
  choices?: { value: string; label: string }[];
  /** Only for models of these kinds. */
  kinds?: string[];
}

const t = texts.models;
const kinds = Object.entries(t.kind).map(([value, label]) => ({ value, label }));
const lifecycles = Object.entries(texts.detail.lifecycle).map(([value, label]) => ({ value, label }));

export const overviewFields: Field[] = [
  { name: 'enabled', control: 'switch' },
  { name: 'hidden', control: 'switch' },
  { name: 'displayName', control: 'text' },
  { name: 'description', control: 'lines' },
  { name: 'kind', control: 'choice', choices: kinds },
  { name: 'tags', control: 'tags' },
  { name: 'lifecycle', control: 'choice', choices: lifecycles },
  { name: 'deprecatesAt', control: 'time' },
  { name: 'retiresAt', control: 'time' },
  { name: 'maintenanceUntil', control: 'time' },
  { name: 'maintenanceReason', control: 'text' },
  { name: 'family', control: 'text' },
  { name: 'license', control: 'text' },
];

export const limitFields: Field[] = [
  { name: 'contextWindow', control: 'count' },
  { name: 'inputTokensMax', control: 'count' },
  { name: 'outputTokensMax', control: 'count', kinds: ['generation', 'image', 'transcription', 'other'] },
  { name: 'embeddingDimensions', control: 'count', kinds: ['embedding'] },
];

export const appliesTo = (field: Field, kind: string) => !field.kinds || field.kinds.includes(kind);

/** A value as people compare it. */
export function shownValue(name: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return texts.detail.notSet;
  if (typeof value === 'boolean') return value ? texts.common.yes : texts.common.no;
  if (typeof value === 'number') return value.toLocaleString();
  if (Array.isArray(value) && value.every((v) => typeof v === 'string'))
    return value.length > 0 ? value.join(', ') : texts.common.none;
  if (name === 'kind' && typeof value === 'string') return (t.kind as Record<string, string>)[value] ?? value;
  if (typeof value === 'string') return value;
  return JSON.stringify(value, null, 1);
}

export const fieldLabel = (name: string) => (texts.detail.field as Record<string, string>)[name] ?? name;
