/** What the goods cost together, in cents. */
export function total(prices) {
  return prices.reduce((sum, price) => sum + price, 0);
}

/** Cents as people write them: 1999 → "19.99 €". */
export function inEuros(cents) {
  return `${(cents / 100).toFixed(2)} €`;
}
