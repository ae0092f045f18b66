// Points what uses a model at another one, so that the model can be deleted.
import { body, client, ifMatch, part, precondition, request } from '../../../api/client';
import { readList } from '../../../api/lists';
import type { components } from '../../../api/schema';
import type { Dependent } from './dependents';

type Target = components['schemas']['AliasTarget'];

/** The targets of an alias with one model exchanged; weights of the same model are joined. */
export function exchangeTarget(targets: readonly Target[], old: string, next: string): Target[] {
  const joined: Target[] = [];
  for (const target of targets) {
    const model = target.model === old ? next : target.model;
    const there = joined.find((other) => other.model === model);
    if (there) there.weight = (there.weight ?? 1) + (target.weight ?? 1);
    else joined.push({ ...target, model });
  }
  return joined;
}

const isRegistered = (type: string): type is 'profile' | 'knowledge_base' | 'conversation' | 'view' | 'other' =>
  ['profile', 'knowledge_base', 'conversation', 'view', 'other'].includes(type);

export async function repoint(org: string, old: string, next: string, dependent: Dependent): Promise<void> {
  const type = dependent.refType ?? '';
  const ref = dependent.refId ?? '';
  if (type === 'default') {
    const [kind, purpose = ''] = ref.split('/');
    // The default of any provider and those of single providers have the same name here.
    const pointing = (await readList('defaults', org)).filter(
      (row) => row.kind === kind && row.purpose === purpose && row.model === old,
    );
    for (const { kind, provider, version } of pointing)
      await body(
        client.PUT('/v1/orgs/{org}/defaults', {
          params: { path: { org }, header: precondition(version) },
          body: { kind, model: next, ...(provider ? { provider } : {}), ...(purpose ? { purpose } : {}) },
        }),
      );
    return;
  }
  if (type === 'alias') {
    const path = { org, alias: ref };
    const alias = await body(client.GET('/v1/orgs/{org}/aliases/{alias}', { params: { path } }));
    const targets = (alias.targets as unknown as (Target & { modelId?: string })[]).map(({ model, weight }) => ({
      model,
      ...(weight === undefined ? {} : { weight }),
    }));
    await body(
      client.PUT('/v1/orgs/{org}/aliases/{alias}', {
        params: { path, header: { 'If-Match': ifMatch(alias.version) } },
        body: {
          targets: exchangeTarget(targets, old, next),
          ...(alias.sticky ? { sticky: alias.sticky as 'none' } : {}),
          ...(alias.description ? { description: alias.description } : {}),
        },
      }),
    );
    return;
  }
  if (!isRegistered(type)) throw new Error(type);
  await body(
    client.POST('/v1/orgs/{org}/models/{model}/dependents', {
      params: { path: { org, model: next } },
      body: { refType: type, refId: ref, ...(dependent.label ? { label: dependent.label } : {}) },
    }),
  );
  await request('DELETE', `/v1/orgs/${part(org)}/models/${part(old)}/dependents/${part(type)}/${part(ref)}`);
}
