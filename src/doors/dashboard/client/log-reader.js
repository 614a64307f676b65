// @ts-check
/** @typedef {import("./log-lines.js").LogLines} LogLines */
/** @typedef {import("./log-lines.js").Part} Part */

export const portion = 200;

/**
 * Knows how long the log is and fetches parts of it, one at a time. What scrolling asks for meanwhile is asked for again by the next scroll;
 * where somebody goes, waits for its turn.
 */
export class LogReader {
  /** @type {string} */ #path;
  /** @type {LogLines} */ #lines;
  /** @type {Promise<unknown> | null} */ #fetching = null;
  /** @type {Part[]} */ #came = [];

  /**
   * @param {string} path
   * @param {LogLines} lines
   * @param {{ attempt: number, count: number }} log
   */
  constructor(path, lines, { attempt, count }) {
    this.#path = path;
    this.#lines = lines;
    this.attempt = attempt;
    this.count = count;
  }

  /** Whether the log's last line is on the page. */
  get hasEnd() {
    return this.#lines.last >= this.count;
  }

  /** @param {number} attempt Its lines count from 1. */
  begin(attempt) {
    this.attempt = attempt;
    this.count = 0;
    this.#lines.replace({ first: 1, lines: [], times: [], group: null });
    this.#came = [];
  }

  /**
   * Takes lines that have come by the stream; they are put on the page by `show`.
   * @param {Part} part
   * @param {boolean} wanted Whether the end of the log is read now; if not, they are only counted.
   */
  arrived(part, wanted) {
    this.count = Math.max(this.count, part.first + part.lines.length - 1);
    if (wanted) this.#came.push(part);
    else this.#came = [];
  }

  /** Puts on the page what has come, and tells how many lines came; some may have been fetched already, of very many only the end is shown. */
  async show() {
    const came = this.#came;
    this.#came = [];
    const amount = came.reduce((sum, { lines }) => sum + lines.length, 0);
    if (amount > portion * 4 || !this.#append(came)) await this.showEnd();
    return amount;
  }

  /** @param {readonly Part[]} came False when something is missing before one of them. */
  #append(came) {
    for (const part of came) {
      const next = this.#lines.last + 1;
      const { first, lines } = part;
      if (first > next) return false;
      if (first + lines.length > next) this.#lines.append({ ...part, first: next, lines: lines.slice(next - first) }, true);
    }
    return true;
  }

  async fetchBefore() {
    const to = this.#lines.first - 1;
    if (to < 1 || this.#fetching !== null) return;
    const got = await this.#fetch(Math.max(1, to - portion + 1), to);
    if (got !== null && got.first + got.lines.length === this.#lines.first) this.#lines.prepend(got);
  }

  async fetchAfter() {
    if (this.hasEnd || this.#fetching !== null) return;
    const from = this.#lines.last + 1;
    const got = await this.#fetch(from, from + portion - 1);
    if (got !== null && got.first === this.#lines.last + 1) this.#lines.append(got, false);
  }

  /** Puts the end of the log on the page, in place of what is there. */
  async showEnd() {
    if (!this.hasEnd) await this.#show(this.count - portion + 1);
  }

  /** @param {number} number Its line comes on the page, with some around it. */
  async showAround(number) {
    if (!this.#lines.has(number)) await this.#show(Math.min(number, this.count) - portion / 4);
  }

  /** @param {number} from */
  async #show(from) {
    const first = Math.max(1, from);
    while (this.#fetching !== null) await this.#fetching;
    const got = await this.#fetch(first, first + portion - 1);
    if (got !== null && got.lines.length > 0) this.#lines.replace(got);
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  async #fetch(from, to) {
    const fetching = this.#ask(from, to);
    this.#fetching = fetching;
    try {
      return await fetching;
    } finally {
      this.#fetching = null;
    }
  }

  /**
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Part | null>} `null` when there is no answer, or the log has begun anew meanwhile.
   */
  async #ask(from, to) {
    const { attempt } = this;
    try {
      const response = await fetch(`${this.#path}/log?attempt=${attempt}&from=${from}&to=${to}`);
      const got = response.ok ? await response.json() : null;
      if (got === null || attempt !== this.attempt) return null;
      this.count = Math.max(this.count, got.count);
      return got;
    } catch {
      return null;
    }
  }
}
