// @ts-check
import { piecesOf } from "./ansi.js";
import { Folding, makeHead } from "./folding.js";

const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** So many lines are kept on the page; the rest of a long log stays on the server. */
const most = 2_000;
/** Fewer while the end is followed: what is removed before it is drawn costs little, what is drawn costs most. More than a window shows. */
const mostFollowed = 100;

/**
 * A part of a log as the server gives it: `times` are from which line on it was which moment (epoch milliseconds), `group` the one that its
 * first line stands in.
 * @typedef {{ first: number, lines: readonly string[], times: readonly (readonly [number, number | null])[], group: string | null }} Part
 */

/**
 * The lines that are on the page: a part of the log without gaps, from `first` to `last`. What the eye rests on stays where it is
 * when lines are added or removed above it.
 */
export class LogLines {
  /** @type {HTMLElement} */ #scroller;
  /** @type {HTMLElement} */ #holder;
  /** @type {{ from: number, to: number } | null} */ #marked = null;
  /** @type {string | null} The group behind the last line. */ #group;
  #folding = new Folding();

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} holder Its children are the lines.
   * @param {Pick<Part, "first" | "times" | "group">} part What is known of them.
   */
  constructor(scroller, holder, { first, times, group }) {
    this.#scroller = scroller;
    this.#holder = holder;
    this.first = first;
    this.last = first + holder.childElementCount - 1;
    this.#group = group;
    const texts = [...holder.children].map((line) => line.lastElementChild?.textContent ?? "");
    const elements = this.#elements({ first, lines: texts, times, group }, [...holder.children]);
    if (elements.length > 0) this.#group = this.#groupBehind(elements);
    holder.addEventListener("click", (event) => this.#headClicked(event));
  }

  /**
   * @param {Part} part Its lines follow the last one.
   * @param {boolean} followed Whether the end is followed: then nobody looks at what is above.
   */
  append(part, followed) {
    const elements = this.#elements({ ...part, group: this.#group });
    if (elements.length > 0) this.#group = this.#groupBehind(elements);
    this.#holder.append(...elements);
    this.last += elements.length;
    const surplus = this.last - this.first + 1 - (followed ? mostFollowed : most);
    if (surplus <= 0) return;
    const remove = () => this.#range(0, surplus).deleteContents();
    if (followed) remove();
    else this.#keepingPlace(remove);
    this.first += surplus;
  }

  /** @param {Part} part Its lines precede the first one. */
  prepend(part) {
    this.#keepingPlace(() => this.#holder.prepend(...this.#elements(part)));
    this.first = part.first;
    const surplus = this.last - this.first + 1 - most;
    if (surplus <= 0) return;
    this.#range(most, most + surplus).deleteContents();
    this.last -= surplus;
    this.#group = this.#groupBehind([...this.#holder.children]);
  }

  /** @param {Part} part */
  replace(part) {
    const elements = this.#elements(part);
    this.#holder.replaceChildren(...elements);
    this.first = part.first;
    this.last = part.first + elements.length - 1;
    this.#group = elements.length === 0 ? part.group : this.#groupBehind(elements);
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
    if (!(line instanceof HTMLElement)) return;
    this.#folding.open(this.#holder, line);
    line.scrollIntoView({ block: "center" });
  }

  /** @param {boolean} on Whether what stands in groups is hidden. */
  foldAll(on) {
    this.#folding.all(this.#holder, on);
  }

  /**
   * Makes the elements of lines, or completes those that the server has made.
   * @param {Part} part
   * @param {readonly Element[]} [made]
   */
  #elements({ first, lines, times, group }, made) {
    let open = group;
    let at = 0;
    return lines.map((text, index) => {
      const number = first + index;
      while ((times[at + 1]?.[0] ?? Number.POSITIVE_INFINITY) <= number) at += 1;
      const line = made?.[index] ?? this.#element(number, text);
      const isHead = text.startsWith("▾ ");
      const inside = isHead ? text.slice(2) : open;
      if (line instanceof HTMLElement) this.#furnish(line, inside, isHead, times[at]?.[1] ?? null);
      open = text.startsWith("▴ ") ? null : inside;
      return line;
    });
  }

  /**
   * @param {HTMLElement} line
   * @param {string | null} group
   * @param {boolean} isHead
   * @param {number | null} at
   */
  #furnish(line, group, isHead, at) {
    if (at !== null) line.dataset.time = clockTime.format(at);
    if (group === null) return;
    line.dataset.group = group;
    if (isHead) makeHead(line);
    this.#folding.apply(line);
  }

  /** @param {readonly Element[]} elements */
  #groupBehind(elements) {
    const last = elements.at(-1);
    if (!(last instanceof HTMLElement) || last.lastElementChild?.textContent?.startsWith("▴ ")) return null;
    return last.dataset.group ?? null;
  }

  /** @param {MouseEvent} event */
  #headClicked(event) {
    const head = event.target instanceof Element ? event.target.closest("button.fold") : null;
    const group = head?.closest(".line");
    if (group instanceof HTMLElement) this.#folding.toggle(this.#holder, group.dataset.group ?? "");
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
