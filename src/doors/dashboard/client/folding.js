// @ts-check

/** Which groups of a log are folded: those of one name together. */
export class Folding {
  #all = false;
  /** @type {Set<string>} Those that are not as all are. */ #others = new Set();

  /**
   * @param {HTMLElement} holder
   * @param {boolean} on
   */
  all(holder, on) {
    this.#all = on;
    this.#others.clear();
    this.#applyAll(holder);
  }

  /**
   * @param {HTMLElement} holder
   * @param {string} group
   */
  toggle(holder, group) {
    if (this.#others.has(group)) this.#others.delete(group);
    else this.#others.add(group);
    this.#applyAll(holder);
  }

  /**
   * Opens the group of a line, so that it can be seen.
   * @param {HTMLElement} holder
   * @param {HTMLElement} line
   */
  open(holder, line) {
    const { group } = line.dataset;
    if (group !== undefined && this.#isFolded(group) && line.classList.contains("folded")) this.toggle(holder, group);
  }

  /** @param {HTMLElement} line A line in a group, which is shown or not. */
  apply(line) {
    const isFolded = this.#isFolded(line.dataset.group ?? "");
    const head = line.querySelector("button.fold");
    if (head === null) line.classList.toggle("folded", isFolded);
    else head.setAttribute("aria-expanded", String(!isFolded));
  }

  /** @param {HTMLElement} holder */
  #applyAll(holder) {
    for (const line of holder.querySelectorAll("[data-group]")) if (line instanceof HTMLElement) this.apply(line);
  }

  /** @param {string} group */
  #isFolded(group) {
    return this.#all !== this.#others.has(group);
  }
}

/**
 * Makes the line that opens a group the button that folds it.
 * @param {HTMLElement} line
 */
export function makeHead(line) {
  const content = line.lastElementChild;
  if (content === null || content.querySelector("button.fold") !== null) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "fold";
  button.textContent = (content.textContent ?? "").replace(/^▾ /, "");
  content.replaceChildren(button);
}
