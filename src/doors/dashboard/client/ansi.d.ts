/** A part of a line that looks the same throughout. */
export interface Piece {
  /** Without control characters other than the tab; not escaped. */
  readonly text: string;
  /** Names from a fixed list, separated by blanks; empty for plain text. */
  readonly classes: string;
}

/**
 * What a terminal would show of one line, without its end. Each line begins plain.
 * Links, titles, cursor movements and all other escapes are dropped; their text, where they have one, stays.
 */
export declare function piecesOf(line: string): readonly Piece[];
