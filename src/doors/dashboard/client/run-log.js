// @ts-check
import { between, hashOf, partOf } from "./line-address.js";
import { listen } from "./live.js";
import { LogLines } from "./log-lines.js";
import { LogReader } from "./log-reader.js";
import { searchLog } from "./log-search.js";
import { showNews } from "./run-header.js";

/** So near to an end of what is on the page, in pixels, the next portion is fetched. */
const near = 600;
/** When so many lines were put on the page at once, nobody reads each: the next are put there so much later, in milliseconds. */
const flood = { lines: 50, pause: 100 };
/** So near to the end of the log, in pixels, somebody reads its end. */
const slack = 24;

const inWords = new Intl.NumberFormat("en");

/**
 * The log of a run. Its lines stand in it already; it follows the end of a log that grows, fetches what is scrolled to, and goes to
 * the lines that the address names. While somebody reads further up, new lines are counted and nothing moves.
 */
class RunLog extends HTMLElement {
  #path = "";
  #live = false;
  #following = false;
  /** How many lines the log had when the reader stopped following. */
  #seen = 0;
  #lastTop = 0;
  #frame = 0;
  /** The earliest time for the next lines. */
  #notBefore = 0;
  /** @type {HTMLElement} */ #scroller = this;
  #lines = new LogLines(this, document.createElement("div"), { first: 1, times: [], group: null });
  #reader = new LogReader("", this.#lines, { attempt: 0, count: 0 });

  connectedCallback() {
    const { path = "", attempt, first, count, live, times = "[]", group = null, error } = this.dataset;
    this.#path = path;
    this.#live = live !== undefined;
    this.#scroller = this.#part("lines");
    const part = { first: Number(first), times: JSON.parse(times), group };
    this.#lines = new LogLines(this.#scroller, this.#part("window"), part);
    this.#reader = new LogReader(path, this.#lines, { attempt: Number(attempt), count: Number(count) });
    for (const plain of this.querySelectorAll('[data-part="plain"]')) plain.remove();
    this.#furnish();
    if (!this.#goToAddress()) {
      this.#following = this.#live;
      if (error === undefined) this.#toEnd();
      else this.#show(Number(error));
    }
    if (this.#live) this.#listen();
  }

  #furnish() {
    this.#toggle("wrap", true, (on) => this.classList.toggle("unwrapped", !on));
    this.#toggle("times", false, (on) => this.classList.toggle("timed", on));
    this.#toggle("fold", false, (on) => this.#lines.foldAll(on));
    const search = this.#part("search");
    search.hidden = false;
    searchLog(search, {
      address: () => `${this.#path}/search?attempt=${this.#reader.attempt}`,
      goTo: (line) => this.#show(line),
      end: () => this.#lines.mark(partOf(location.hash)),
    });
    this.#part("follow").addEventListener("click", () => this.#follow());
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#scroller.addEventListener("click", (event) => this.#numberClicked(event));
    document.addEventListener("click", (event) => this.#stepClicked(event));
    addEventListener("hashchange", () => this.#goToAddress());
    addEventListener("resize", () => this.#following && this.#toEnd());
  }

  #listen() {
    listen(this.#path, {
      position: () => ({ attempt: this.#reader.attempt, from: this.#reader.count + 1 }),
      lines: (part) => this.#arrived(part),
      state: (news) => showNews(news, { path: this.#path, attempt: this.#reader.attempt }),
      attempt: (begun) => this.#begin(begun),
      connection: (state) => this.#connected(state),
    });
  }

  /** @param {import("./log-lines.js").Part} part */
  #arrived(part) {
    this.querySelector('[data-part="empty"]')?.remove();
    this.#reader.arrived(part, this.#following);
    // Once in each frame at most, however much comes.
    this.#frame ||= requestAnimationFrame((now) => this.#draw(now));
  }

  /** @param {number} now */
  async #draw(now) {
    if (now < this.#notBefore) {
      this.#frame = requestAnimationFrame((later) => this.#draw(later));
      return;
    }
    this.#frame = 0;
    if (this.#following) {
      const shown = await this.#reader.show();
      if (shown >= flood.lines) this.#notBefore = now + flood.pause;
      this.#toEnd();
    }
    this.#tell();
  }

  /** @param {number} attempt */
  #begin(attempt) {
    this.#reader.begin(attempt);
    this.#seen = 0;
    this.#following = true;
    this.#part("raw").setAttribute("href", `${this.#path}/log.txt?attempt=${attempt}`);
    this.#tell();
  }

  /** @param {"live" | "reconnecting" | "complete" | "gone"} state */
  #connected(state) {
    const words = { live: "Live", reconnecting: "Reconnecting", complete: "Complete", gone: "Reload to go on" };
    const pulse = this.#part("pulse");
    if (pulse.dataset.state === state) return;
    pulse.dataset.state = state;
    pulse.textContent = words[state];
    if (state === "complete") this.#live = false;
    this.#tell();
  }

  #tell() {
    const { count } = this.#reader;
    write(this.#part("count"), count === 1 ? "1 line" : `${inWords.format(count)} lines`);
    const follow = this.#part("follow");
    follow.hidden = this.#following || this.#isAtEnd();
    const fresh = count - this.#seen;
    write(follow, !this.#live ? "To the end" : fresh > 0 && !follow.hidden ? `Follow · ${inWords.format(fresh)} new` : "Follow");
  }

  async #scrolled() {
    const { scrollTop: top, scrollHeight, clientHeight } = this.#scroller;
    const wentUp = top < this.#lastTop - 1;
    this.#lastTop = top;
    if (wentUp && this.#following && !this.#isAtEnd()) this.#stopFollowing();
    else if (!wentUp && this.#isAtEnd()) this.#following = this.#live;
    if (!this.#following) {
      if (top < near) await this.#reader.fetchBefore();
      else if (scrollHeight - top - clientHeight < near) await this.#reader.fetchAfter();
      this.#lastTop = this.#scroller.scrollTop;
    }
    this.#tell();
  }

  async #follow() {
    await this.#reader.showEnd();
    this.#following = this.#live;
    this.#toEnd();
    this.#tell();
  }

  #stopFollowing() {
    this.#following = false;
    this.#seen = this.#reader.count;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return this.#reader.hasEnd && scrollHeight - scrollTop - clientHeight <= slack;
  }

  /** Goes to the lines that the address names; false when it names none. */
  #goToAddress() {
    const part = partOf(location.hash);
    this.#lines.mark(part);
    if (part === null) return false;
    this.#stopFollowing();
    void this.#goTo(part.from);
    return true;
  }

  /** @param {number} number */
  async #goTo(number) {
    await this.#reader.showAround(number);
    this.#lines.scrollTo(number);
    this.#lastTop = this.#scroller.scrollTop;
    this.#tell();
  }

  /** @param {MouseEvent} event */
  #numberClicked(event) {
    const number = event.target instanceof HTMLElement ? Number(event.target.dataset.number) : Number.NaN;
    if (Number.isNaN(number) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const before = event.shiftKey ? partOf(location.hash) : null;
    const part = between(before?.from ?? number, number);
    history.replaceState(null, "", hashOf(part));
    this.#lines.mark(part);
  }

  /** @param {MouseEvent} event */
  #stepClicked(event) {
    const link = event.target instanceof Element ? event.target.closest("a[data-line]") : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", `#L${link.getAttribute("data-line")}`);
    this.#goToAddress();
  }

  /**
   * Goes to a line and marks it, as a search or the first error does; the address stays.
   * @param {number} number
   */
  #show(number) {
    this.#stopFollowing();
    this.#lines.mark(between(number, number));
    void this.#goTo(number);
  }

  /**
   * A button that is on or off, and stays so on this reader's next page.
   * @param {string} name
   * @param {boolean} usual
   * @param {(on: boolean) => void} apply
   */
  #toggle(name, usual, apply) {
    const button = this.#part(name);
    const set = (/** @type {boolean} */ on) => {
      button.setAttribute("aria-pressed", String(on));
      localStorage.setItem(name, on ? "yes" : "no");
      apply(on);
      if (this.#following) this.#toEnd();
    };
    button.hidden = false;
    button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
    set((localStorage.getItem(name) ?? (usual ? "yes" : "no")) === "yes");
  }

  /** @param {string} name */
  #part(name) {
    const element = this.querySelector(`[data-part="${name}"]`);
    if (!(element instanceof HTMLElement)) throw new Error(`The log has no part "${name}"`);
    return element;
  }
}

/**
 * Leaves alone what is right already, because a change has the page laid out again.
 * @param {HTMLElement} element
 * @param {string} words
 */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

customElements.define("run-log", RunLog);
