import { enter, expect, logIn, org, test, unique } from './world';

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

test('a person without an organisation reads how to come to one', async ({ page }) => {
  await enter(page, 'lonely', 'org_admin', unique('nowhere'));
  await page.goto('/ui/');
  await expect(page.getByText('You belong to no organisation')).toBeVisible();
  await expect(page.getByText('lonely', { exact: true })).toBeVisible();
  await expect(page.getByText('In dev mode you may also log in as Platform admin', { exact: false })).toBeVisible();
});
