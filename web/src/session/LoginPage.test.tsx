// @vitest-environment jsdom
import { QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';

import { makeQueryClient } from '../queries';
import { serve } from '../test/page';
import LoginPage from './LoginPage';

afterEach(() => history.replaceState(null, '', '/'));

function show(address: string) {
  history.replaceState(null, '', address);
  serve({ 'GET /v1/session/options': { body: { mode: 'jwt', oidc: true, devRoles: [] } } });
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <LoginPage state={{ kind: 'out' }} />
    </QueryClientProvider>,
  );
}

it('leads to the provider of logins, and back to the page that was asked for', async () => {
  show('/ui/orgs/acme/models?q=gpt');
  const link = await screen.findByRole('link', { name: /Log in/ });
  expect(link).toHaveAttribute('href', '/v1/session:login?returnTo=%2Fui%2Forgs%2Facme%2Fmodels%3Fq%3Dgpt');
  expect(screen.queryByRole('alert')).toBeNull();
});

it.each([
  ['denied', 'The login was not allowed.'],
  ['expired', 'The login took too long.'],
  ['unreachable', 'Your login service does not answer.'],
  ['refused', 'The answer of your login service is not valid.'],
  ['busy', 'Too many people log in at the same time.'],
  ['unavailable', 'The login could not be finished.'],
  ['new_reason', 'The login failed: new_reason.'],
  ['<b>x</b>', 'The login failed: <b>x</b>.'],
])('explains the failed login %s, once', async (code, text) => {
  show(`/ui/orgs/acme/models?q=gpt&loginError=${encodeURIComponent(code)}`);
  expect(await screen.findByText(text)).toBeVisible();
  expect(location.search).toBe('?q=gpt');
  const link = screen.getByRole('link', { name: 'Log in again' });
  expect(link.getAttribute('href')).not.toContain('loginError');
});
