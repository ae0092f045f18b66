// Small pages that administrators visit one after the other, as one file of the build: apart, each would be larger.
export { default as AccessPage } from './access/AccessPage';
export { default as AuditPage } from './audit/AuditPage';
export { default as CredentialsPage } from './credentials/CredentialsPage';
export { default as DefaultsPage } from './defaults/DefaultsPage';
export { default as MembersPage } from './members/MembersPage';
export { default as SettingsPage } from './settings/SettingsPage';
export { default as TokensPage } from './tokens/TokensPage';
export { default as ViewsPage } from './views/ViewsPage';
