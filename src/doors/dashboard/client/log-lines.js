// @ts-check
import { piecesOf } from "./ansi.js";

/** So many lines are kept on the page; the rest of a long log stays on the server. */
const most = 2_000;

/**
 * The lines that are on the page: a part of the log without gaps, from `first` to `last`. What the eye rests on stays where it is
 * when lines are added or removed above it.
 */
export class LogLines {
  /** @type {HTMLElement} */ #scroller;
  /** @type {HTMLElement} */ #holder;
  /** @type {{ from: number, to: number } | null} */ #marked = null;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} holder Its children are the lines.
   * @param {number} first
   */
  constructor(scroller, holder, first) {
    this.#scroller = scroller;
    this.#holder = holder;
    this.first = first;
    this.last = first + holder.childElementCount - 1;
  }

  /** @param {readonly string[]} lines They follow the last one. */
  append(lines) {
    this.#holder.append(...lines.map((line, at) => this.#element(this.last + 1 + at, line)));
    this.last += lines.length;
    const surplus = this.last - this.first + 1 - most;
    if (surplus <= 0) return;
    this.#keepingPlace(() => this.#range(0, surplus).deleteContents());
    this.first += surplus;
  }

  /** @param {readonly string[]} lines They precede the first one. */
  prepend(lines) {
    const first = this.first - lines.length;
    this.#keepingPlace(() => this.#holder.prepend(...lines.map((line, at) => this.#element(first + at, line))));
    this.first = first;
    const surplus = this.last - this.first + 1 - most;
    if (surplus <= 0) return;
    this.#range(most, most + surplus).deleteContents();
    this.last -= surplus;
  }

  /**
   * @param {number} first
   * @param {readonly string[]} lines
   */
  replace(first, lines) {
    this.#holder.replaceChildren(...lines.map((line, at) => this.#element(first + at, line)));
    this.first = first;
    this.last = first + lines.length - 1;
  }

  /** @param {number} number */
  has(number) {
    return number >= this.first && number <= this.last;
  }

  /**
   * Marks a part of the log, also lines of it that come later.
   * @param {{ from: number, to: number } | null} part
   */
  mark(part) {
    this.#marked = part;
    for (const [at, line] of [...this.#holder.children].entries())
      line.classList.toggle("marked", this.#isMarked(this.first + at));
  }

  /** @param {number} number */
  scrollTo(number) {
    const line = this.#holder.children[number - this.first];
    line?.scrollIntoView({ block: "center" });
  }

  /**
   * @param {number} number
   * @param {string} text
   */
  #element(number, text) {
    const line = document.createElement("div");
    line.className = this.#isMarked(number) ? "line marked" : "line";
    line.id = `L${number}`;
    const link = document.createElement("a");
    link.href = `#L${number}`;
    link.dataset.number = String(number);
    link.tabIndex = -1;
    link.setAttribute("aria-label", `Line ${number}`);
    const content = document.createElement("span");
    content.append(...piecesOf(text).map(pieceElement));
    line.append(link, content);
    return line;
  }

  /** @param {number} number */
  #isMarked(number) {
    return this.#marked !== null && number >= this.#marked.from && number <= this.#marked.to;
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  #range(from, to) {
    const range = document.createRange();
    range.setStart(this.#holder, from);
    range.setEnd(this.#holder, to);
    return range;
  }

  /** @param {() => void} change Adds or removes lines above what is seen. */
  #keepingPlace(change) {
    const before = this.#scroller.scrollHeight;
    const top = this.#scroller.scrollTop;
    change();
    this.#scroller.scrollTop = top + this.#scroller.scrollHeight - before;
  }
}

/** @param {import("./ansi.js").Piece} piece */
function pieceElement({ text, classes }) {
  if (classes === "") return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = classes;
  span.textContent = text;
  return span;
}
