/** The share of each weight in whole percent. The largest remainders are rounded up, so that they sum up to 100. */
export function sharesOf(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  if (total <= 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (100 * Math.max(0, weight)) / total);
  const shares = exact.map(Math.floor);
  const left = 100 - shares.reduce((sum, share) => sum + share, 0);
  exact
    .map((value, i) => ({ i, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest)
    .slice(0, left)
    .forEach(({ i }) => (shares[i] = (shares[i] ?? 0) + 1));
  return shares;
}
