import type { Search } from "./search.ts";

/** A stream of bytes in which each place that a search finds becomes `***`; places that overlap become one. */
export interface Blackening {
  /** The next piece. What may be the beginning of a place is held back until it is known what follows: never more than the longest text has. */
  pass(piece: Uint8Array): Uint8Array;
  /** What was held back, at the end of the stream. */
  rest(): Uint8Array;
  /** Goes on with another search; what is held back is searched again. */
  with(search: Search): Blackening;
}

/** Counted from the beginning of what is held back; `said`: the `***` has been written already. */
interface Place {
  readonly from: number;
  readonly to: number;
  readonly said: boolean;
}

const black = Buffer.from("***");

/** Starts a stream. */
export function blacken(first: Search): Blackening {
  let search = first;
  let state = 0;
  let held: Buffer = Buffer.alloc(0);
  /** In order, and none overlaps another. */
  let places: Place[] = [];

  /** Searches what is held back from an index on. */
  function look(begin: number): void {
    for (let at = begin; ; at += 1) {
      if (state === 0) at = search.beginning(held, at);
      if (at >= held.length) return;
      state = search.next(state, held[at] ?? 0);
      const length = search.found(state);
      if (length > 0) add({ from: at + 1 - length, to: at + 1, said: false });
    }
  }

  function add(place: Place): void {
    let { from, to, said } = place;
    for (let last = places.at(-1); last !== undefined && last.to > from; last = places.at(-1)) {
      from = Math.min(from, last.from);
      to = Math.max(to, last.to);
      said ||= last.said;
      places.pop();
    }
    places.push({ from, to, said });
  }

  /** Lets go what lies before an index, into which no place that is yet to be found can reach. */
  function release(end: number): Uint8Array {
    const out: Uint8Array[] = [];
    const left: Place[] = [];
    let at = 0;
    for (const { from, to, said } of places) {
      if (from >= end && !said) {
        left.push({ from: from - end, to: to - end, said });
        continue;
      }
      out.push(held.subarray(at, from));
      if (!said) out.push(black);
      at = Math.min(to, end);
      if (to > end) left.push({ from: 0, to: to - end, said: true });
    }
    out.push(held.subarray(at, Math.max(at, end)));
    // A copy, so that a small rest does not keep a large piece alive.
    held = Buffer.from(held.subarray(end));
    places = left;
    return Buffer.concat(out);
  }

  const stream: Blackening = {
    pass(piece) {
      const begin = held.length;
      held = begin === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : Buffer.concat([held, piece]);
      look(begin);
      const end = held.length - search.depth(state);
      if (begin > 0 || end < held.length || places.length > 0) return release(end);
      held = Buffer.alloc(0);
      return piece;
    },
    rest() {
      state = 0;
      const last = release(held.length);
      places = [];
      return last;
    },
    with(next) {
      if (next === search) return stream;
      search = next;
      state = 0;
      places = places.filter(({ said }) => said);
      look(0);
      return stream;
    },
  };
  return stream;
}
