import { enter, expect, org, test } from './world';

test('the picker offers what may be used and keeps a favourite', async ({ admin, context }) => {
  await admin.goto(`/ui/orgs/${org}/picker`);
  const box = admin.getByRole('combobox', { name: 'Model' });
  await box.click();
  await admin.getByRole('option').first().click();
  const star = admin.getByRole('button', { name: /is a favourite$/ });
  await star.click();
  await expect(star).toHaveAttribute('aria-pressed', 'true');
  await admin.reload();
  await box.click();
  await expect(admin.getByText('Favourites')).toBeVisible();
  await context.clearCookies();
  await enter(admin, 'bob', 'org_admin');
  await admin.reload();
  await box.click();
  await expect(admin.getByRole('option').first()).toBeVisible();
  await expect(admin.getByText('Favourites')).toHaveCount(0);
});

test('the playground streams an answer', async ({ admin }) => {
  await admin.goto(`/ui/orgs/${org}/playground`);
  await admin.getByRole('combobox', { name: 'Model' }).click();
  await admin.getByRole('option').first().click();
  await admin.getByLabel('Your message').fill('Who answers?');
  await admin.keyboard.press('Enter');
  await expect(admin.getByTestId('answer')).not.toBeEmpty();
  await expect(admin.getByText(/ in all/)).toBeVisible();
  await admin.getByRole('link', { name: 'Models', exact: true }).click();
  await admin.getByRole('link', { name: 'Playground' }).click();
  await expect(admin.getByTestId('answer')).not.toBeEmpty();
});
