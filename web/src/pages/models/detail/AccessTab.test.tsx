// @vitest-environment jsdom
import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';

import { aModel } from '../../../test/models';
import { page, serve, showPage } from '../../../test/page';
import { AccessTab } from './AccessTab';

const rule = (subject: string, object: string) => ({
  id: subject,
  subjectKind: 'group',
  subject,
  objectKind: 'model',
  object,
  objectId: object,
  effect: 'allow',
  createdBy: 'anna',
  createdAt: '2026-01-01T00:00:00Z',
});

it('finds the rules of a model among more than one answer holds', async () => {
  serve({
    'GET /v1/orgs/acme': { body: { id: 'acme', mode: 'open' } },
    'GET /v1/orgs/acme/grants': ({ path }) =>
      path.includes('page_token=')
        ? page(rule('late', 'ollama/one'))
        : { body: { data: [rule('early', 'ollama/one'), rule('else', 'ollama/two')], next_page_token: 'next' } },
  });
  const base = aModel({ slug: 'ollama/one', modelName: 'one' });
  showPage(<AccessTab org="acme" draft={{ base, patch: {} }} setDraft={() => undefined} editable />);
  expect(await screen.findByText('Group late')).toBeVisible();
  expect(screen.getByText('Group early')).toBeVisible();
  expect(screen.queryByText('Group else')).toBeNull();
});
