/** As the registry takes it. */
export const isId = (id: string) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(id);

/** An id that fits a name: "Société Acme" is societe-acme. */
export const idFrom = (name: string) =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '');
