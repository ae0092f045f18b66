// Addresses of pages inside the page's own base.

/** `orgPath('acme', 'connections', 'new')` is /orgs/acme/connections/new. */
export const orgPath = (org: string, ...parts: string[]) =>
  ['/orgs', org, ...parts].map((part, i) => (i === 0 ? part : encodeURIComponent(part))).join('/');
