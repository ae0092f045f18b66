import { expect, logIn, org, test, unique } from './world';

test('a person logs in, chooses the theme and logs out', async ({ page }) => {
  await logIn(page, 'Organisation admin');
  await expect(page).toHaveURL(new RegExp(`/ui/orgs/${org}/models`));
  // Scripts see no session: the cookie is HttpOnly, and nothing else holds it.
  expect(await page.evaluate(() => document.cookie)).toBe('');
  await page.getByRole('button', { name: 'Account' }).click();
  await expect(page.getByText('Organisation admin.')).toBeVisible();
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-scheme', 'dark');
  await page.getByRole('menuitem', { name: 'Log out', exact: true }).click();
  await expect(page.getByLabel('User name')).toBeVisible();
  await page.goto(`/ui/orgs/${org}/models`);
  await expect(page.getByLabel('User name')).toBeVisible();
});

test('a platform admin changes between organisations', async ({ page }) => {
  await logIn(page, 'Platform admin', 'root');
  await page.getByRole('button', { name: /^Organisation: / }).click();
  await page.getByRole('menuitem', { name: /^Platform/ }).click();
  await expect(page).toHaveURL(/\/ui\/orgs\/_\/(models|overview)/);
  await page.goto('/ui/orgs/_/models');
  await expect(page.getByRole('grid', { name: 'Models' })).toBeVisible();
});

test('an organisation of others is not shown', async ({ admin, api }) => {
  await api.call('POST', '/v1/orgs', { id: 'others' }).catch(() => undefined);
  await admin.goto('/ui/orgs/others/models');
  await expect(admin.getByText('You may not see this page')).toBeVisible();
});

test('a login to an organisation that is not there names it and keeps the form', async ({ page }) => {
  const nowhere = unique('nowhere');
  await page.goto('/ui/');
  await page.getByLabel('Role').click();
  await page.getByRole('option', { name: 'Organisation admin', exact: true }).click();
  await page.getByLabel('Organisation').fill(nowhere);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByText(`There is no organisation ${nowhere}.`)).toBeVisible();
  await expect(page.getByText(/^Log in as platform_admin and create it/)).toBeVisible();
  await expect(page.getByLabel('Organisation')).toHaveValue(nowhere);
});
