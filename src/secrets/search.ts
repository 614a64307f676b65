/**
 * Finds many texts in one pass over bytes (Aho and Corasick, https://doi.org/10.1145/360825.360855): each byte is looked at a few times at most,
 * whatever the texts are and however long. A state is a number; 0 is that of the beginning.
 */
export interface Search {
  /** The state after one more byte. */
  next(state: number, byte: number): number;
  /** How many of the last bytes may be the beginning of a text. */
  depth(state: number): number;
  /** How many of the last bytes are a whole text, the longest; 0 when none has just ended. */
  found(state: number): number;
  /** The first index from there on at which a text may begin; the number of bytes when there is none. */
  beginning(bytes: Uint8Array, from: number): number;
}

/** Makes a search for texts, which must not be empty. */
export function searchFor(texts: Iterable<Uint8Array>): Search {
  /** State and byte → the state in which a text goes on. */
  const onward = new Map<number, number>();
  const depths = [0];
  const longest = [0];
  /** From which state the search goes on when no text does: that of the longest beginning among the last bytes. */
  const fallback = [0];

  for (const text of texts) {
    let state = 0;
    for (const byte of text) {
      const known = onward.get(state * 256 + byte);
      if (known === undefined) {
        onward.set(state * 256 + byte, depths.length);
        longest.push(0);
        fallback.push(0);
        depths.push((depths[state] ?? 0) + 1);
      }
      state = known ?? depths.length - 1;
    }
    longest[state] = text.length;
  }

  // Most of what is written begins nothing, and is passed over here.
  const atBeginning = new Uint32Array(256);
  for (const [edge, state] of onward) if (edge < 256) atBeginning[edge] = state;

  function beginning(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && atBeginning[bytes[at] ?? 0] === 0) at += 1;
    return at;
  }

  function next(from: number, byte: number): number {
    for (let state = from; state !== 0; state = fallback[state] ?? 0) {
      const to = onward.get(state * 256 + byte);
      if (to !== undefined) return to;
    }
    return atBeginning[byte] ?? 0;
  }

  // By depth, so that what a state falls back to is known before it is needed.
  const byDepth = [...onward].sort(([, one], [, other]) => (depths[one] ?? 0) - (depths[other] ?? 0));
  for (const [edge, state] of byDepth) {
    const parent = Math.floor(edge / 256);
    const to = parent === 0 ? 0 : next(fallback[parent] ?? 0, edge % 256);
    fallback[state] = to;
    if (longest[state] === 0) longest[state] = longest[to] ?? 0;
  }

  return {
    next,
    depth: (state) => depths[state] ?? 0,
    found: (state) => longest[state] ?? 0,
    beginning,
  };
}
