// Small labels. Plain elements with one style sheet: a list shows hundreds of them while it scrolls. Their keys are their
// places, so that a row that shows another model changes texts and no elements.
import type { ModelScope, Status, Support } from '../api/types';
import { texts } from '../texts';
import css from './chips.module.css';

const t = texts.models;

export function StatusChip({ status }: { status: Status }) {
  return (
    <span className={`${css.chip} ${css.dotted} ${css[status] ?? ''}`} title={t.statusHint[status]}>
      {t.status[status] ?? status}
    </span>
  );
}

export function ScopeChip({ scope }: { scope: ModelScope }) {
  return (
    <span className={`${css.chip} ${css.outlined} ${scope === 'platform' ? '' : css.own}`} title={t.scopeHint[scope]}>
      {t.scope[scope] ?? scope}
    </span>
  );
}

export function DefaultChip() {
  return (
    <span className={`${css.chip} ${css.default}`} title={t.defaultHint}>
      ★ {t.default}
    </span>
  );
}

export function HiddenChip() {
  return (
    <span className={`${css.chip} ${css.outlined}`} title={t.hiddenHint}>
      {t.hidden}
    </span>
  );
}

/** Of a model that is not simply there to be used: Deprecated, Preview. What has ended is in the status. */
export function LifecycleChip({ lifecycle }: { lifecycle: string | null | undefined }) {
  const name = t.lifecycle[lifecycle ?? ''];
  return name ? (
    <span className={`${css.chip} ${css.outlined}`} title={t.lifecycleHint[lifecycle ?? '']}>
      {name}
    </span>
  ) : null;
}

export const capabilityName = (name: string) => t.capability[name] ?? name;

// What people choose a model for comes first; what nearly all models do comes last.
const byInterest = [
  'reasoning',
  'tools',
  'vision',
  'audio_in',
  'audio_out',
  'pdf',
  'json_schema',
  'prompt_cache',
  'web_search',
  'code',
  'fill_in_middle',
  'parallel_tools',
  'json_mode',
  'embedding',
  'streaming',
  'chat',
];
const rank = (name: string) => (byInterest.includes(name) ? byInterest.indexOf(name) : byInterest.length);

/** For what holds chips side by side. */
export const chipGroup = css.group ?? '';

export function CapabilityChips({ capabilities, max = 3 }: { capabilities: Record<string, Support>; max?: number }) {
  const known = Object.keys(capabilities)
    .filter((name) => capabilities[name] === 'supported')
    .sort((a, b) => rank(a) - rank(b));
  const rest = known.slice(max);
  return (
    <>
      {known.slice(0, max).map((name, i) => (
        <span key={i} className={css.chip}>
          {capabilityName(name)}
        </span>
      ))}
      {rest.length > 0 && (
        <span className={css.chip} title={rest.map(capabilityName).join(', ')}>
          +{rest.length}
        </span>
      )}
    </>
  );
}

export function Tags({ tags, max = 3 }: { tags: readonly string[]; max?: number }) {
  return (
    <>
      {tags.slice(0, max).map((tag, i) => (
        <span key={i} className={`${css.chip} ${css.outlined}`}>
          {tag}
        </span>
      ))}
      {tags.length > max && (
        <span className={css.chip} title={tags.slice(max).join(', ')}>
          +{tags.length - max}
        </span>
      )}
    </>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'off';

/** A state in one or two words, with a dot in its colour. The word carries the meaning, the colour repeats it. */
export function StateChip({ tone, label, hint }: { tone: Tone; label: string; hint?: string }) {
  return (
    <span className={`${css.chip} ${css.dotted} ${css[tone]}`} title={hint}>
      {label}
    </span>
  );
}

/** Whose row it is. */
export function OwnerChip({ scope }: { scope: 'platform' | 'organization' | 'user' }) {
  const own = scope === 'user' ? 'personal' : scope;
  return <ScopeChip scope={own} />;
}
