// @ts-check
const ahead = Date.now() - Date.parse(document.documentElement.dataset.now ?? new Date().toISOString());

/** The time by the server's clock, in epoch milliseconds: the visitor's may be wrong. */
export function serverNow() {
  return Date.now() - ahead;
}
