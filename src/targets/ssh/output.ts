/** What a remote shell tells between the outputs of its commands: a line of its own that starts with a word nobody else knows. */
export interface Mark {
  readonly word: string;
  readonly status: number;
}

/** Tells marks from output as it comes in, piece by piece; the newline before a mark belongs to it. */
export class OutputReader {
  readonly #start: Buffer;
  #held = Buffer.alloc(0);

  constructor(token: string) {
    this.#start = Buffer.from(`\n${token} `);
  }

  /** Takes a piece and gives what is now known, in its order. */
  *read(piece: Uint8Array): Generator<Buffer | Mark> {
    this.#held = Buffer.concat([this.#held, piece]);
    for (;;) {
      const at = this.#held.indexOf(this.#start);
      const end = at < 0 ? -1 : this.#held.indexOf("\n", at + this.#start.length);
      if (end < 0) break;
      if (at > 0) yield this.#held.subarray(0, at);
      const [word = "", status] = this.#held.toString("utf8", at + this.#start.length, end).split(" ");
      this.#held = this.#held.subarray(end + 1);
      yield { word, status: Number(status) };
    }
    const certain = this.#certain();
    if (certain > 0) yield this.#held.subarray(0, certain);
    this.#held = this.#held.subarray(certain);
  }

  /** How many of the bytes held are surely no part of a mark. */
  #certain(): number {
    const at = this.#held.indexOf(this.#start);
    if (at >= 0) return at;
    const newline = this.#held.lastIndexOf("\n");
    if (newline < 0) return this.#held.length;
    const rest = this.#held.subarray(newline);
    return rest.equals(this.#start.subarray(0, rest.length)) ? newline : this.#held.length;
  }
}
