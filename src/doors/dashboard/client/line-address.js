// @ts-check

/** @typedef {{ readonly from: number, readonly to: number }} Part */

/**
 * The lines that an address names: `#L12` or `#L12-L20`, both ends included.
 * @param {string} hash
 * @returns {Part | null}
 */
export function partOf(hash) {
  const [, from, to] = /^#L(\d{1,12})(?:-L?(\d{1,12}))?$/.exec(hash) ?? [];
  return from === undefined ? null : between(Number(from), Number(to ?? from));
}

/**
 * @param {number} one
 * @param {number} other
 * @returns {Part}
 */
export function between(one, other) {
  return { from: Math.min(one, other), to: Math.max(one, other) };
}

/** @param {Part} part */
export function hashOf({ from, to }) {
  return from === to ? `#L${from}` : `#L${from}-L${to}`;
}
