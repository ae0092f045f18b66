// The login at an OpenID Connect provider, from the first page to the logout, in a browser.
import { expect, test, unique } from './world';

test('a person logs in at a provider, works in the role of a group, and logs out', async ({ page, api, ownApi }) => {
  const org = unique('oidc');
  await api.call('POST', '/v1/orgs', { id: org, displayName: 'At a provider' });
  const { url, issuer, setIssuer } = await ownApi({ org });
  const logIn = page.getByRole('link', { name: 'Log in with your identity provider' });
  const asked = `${url}/ui/orgs/${org}/models?q=any`;
  await page.goto(asked);
  await expect(logIn).toBeVisible();
  await expect(page.getByLabel('User name')).toHaveCount(0);

  await test.step('the provider does not let the person in', async () => {
    await setIssuer({ denies: 'access_denied' });
    await logIn.click();
    await expect(page.getByText('The login was not allowed')).toBeVisible();
    await expect(page).toHaveURL(asked);
    await setIssuer({ denies: null });
  });

  await test.step('the provider does', async () => {
    const visited: string[] = [];
    page.on('framenavigated', (frame) => visited.push(frame.url()));
    const redirects = page.waitForRequest((request) => request.url().startsWith(`${issuer}/authorize?`));
    await page.getByRole('link', { name: 'Log in again' }).click();
    const question = new URL((await redirects).url()).searchParams;
    expect(question.get('code_challenge_method')).toBe('S256');
    await expect(page.getByRole('heading', { level: 1, name: 'Models' })).toBeVisible();
    await expect(page).toHaveURL(asked);
    // The code is in no address that the browser keeps.
    expect(visited.filter((address) => /[?&](code|state)=/.test(address))).toEqual([]);
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });

  await test.step('the group gives the role', async () => {
    await page.getByRole('button', { name: 'Account' }).click();
    await expect(page.getByText('Änna')).toBeVisible();
    await expect(page.getByText(/^Model admin\./)).toBeVisible();
  });

  await test.step('the logout ends at the provider too', async () => {
    const left = page.waitForRequest((request) => request.url().startsWith(`${issuer}/logout`));
    await page.getByRole('menuitem', { name: 'Log out', exact: true }).click();
    await left;
    await expect(logIn).toBeVisible();
    await page.goto(asked);
    await expect(logIn).toBeVisible();
  });
});

test('a session that ends is begun again at the provider, in another tab', async ({ page, api, context, ownApi }) => {
  const org = unique('oidc');
  await api.call('POST', '/v1/orgs', { id: org, displayName: 'At a provider' });
  const slug = encodeURIComponent('ollama/typed');
  await api.call('PUT', `/v1/orgs/${org}/models/${slug}`, { enabled: true });
  const { url } = await ownApi({ org });
  await page.goto(`${url}/ui/orgs/${org}/models?model=${slug}`);
  await page.getByRole('link', { name: 'Log in with your identity provider' }).click();
  const field = page.getByRole('textbox', { name: 'Description' });
  await field.fill('Typed before the session ended');
  await context.clearCookies();
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByRole('button', { name: 'I am logged in: go on' }).click();
  await expect(dialog.getByText('The server does not know you yet.')).toBeVisible();
  const other = context.waitForEvent('page');
  await dialog.getByRole('link', { name: 'Log in in a new tab' }).click();
  await expect((await other).getByRole('heading', { level: 1 })).toBeVisible();
  await dialog.getByRole('button', { name: 'I am logged in: go on' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(field).toHaveValue('Typed before the session ended');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(() => api.call<{ description: string }>('GET', `/v1/orgs/${org}/models/${slug}`))
    .toMatchObject({ description: 'Typed before the session ended' });
});
