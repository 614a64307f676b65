// @ts-check
import { between, hashOf, partOf } from "./line-address.js";
import { listen } from "./live.js";
import { LogLines } from "./log-lines.js";
import { LogReader } from "./log-reader.js";
import { showNews } from "./run-header.js";

/** So near to an end of what is on the page, in pixels, the next portion is fetched. */
const near = 600;
/** So near to the end of the log, in pixels, somebody reads its end. */
const slack = 24;

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
  /** @type {HTMLElement} */ #scroller = this;
  #lines = new LogLines(this, this, 1);
  #reader = new LogReader("", this.#lines, { attempt: 0, count: 0 });

  connectedCallback() {
    const { path = "", attempt, first, count, live } = this.dataset;
    this.#path = path;
    this.#live = live !== undefined;
    this.#scroller = this.#part("lines");
    this.#lines = new LogLines(this.#scroller, this.#part("window"), Number(first));
    this.#reader = new LogReader(path, this.#lines, { attempt: Number(attempt), count: Number(count) });
    for (const plain of this.querySelectorAll('[data-part="plain"]')) plain.remove();
    this.#furnish();
    if (!this.#goToAddress()) {
      this.#following = this.#live;
      this.#toEnd();
    }
    if (this.#live) this.#listen();
  }

  #furnish() {
    const wrap = this.#part("wrap");
    wrap.hidden = false;
    this.#wrap(localStorage.getItem("wrap") !== "no");
    wrap.addEventListener("click", () => this.#wrap(wrap.getAttribute("aria-pressed") !== "true"));
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
      lines: (first, lines) => this.#arrived(first, lines),
      state: (news) => showNews(news, { path: this.#path, attempt: this.#reader.attempt }),
      attempt: (begun) => this.#begin(begun),
      connection: (state) => this.#connected(state),
    });
  }

  /**
   * @param {number} first
   * @param {string[]} lines
   */
  async #arrived(first, lines) {
    this.querySelector('[data-part="empty"]')?.remove();
    await this.#reader.arrived(first, lines, this.#following);
    if (this.#following) this.#toEnd();
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
    this.#part("count").textContent = count === 1 ? "1 line" : `${count.toLocaleString("en")} lines`;
    const follow = this.#part("follow");
    follow.hidden = this.#following || this.#isAtEnd();
    const fresh = count - this.#seen;
    follow.textContent = !this.#live ? "To the end" : fresh > 0 ? `Follow · ${fresh.toLocaleString("en")} new` : "Follow";
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

  /** @param {boolean} on */
  #wrap(on) {
    this.#part("wrap").setAttribute("aria-pressed", String(on));
    this.classList.toggle("unwrapped", !on);
    localStorage.setItem("wrap", on ? "yes" : "no");
    if (this.#following) this.#toEnd();
  }

  /** @param {string} name */
  #part(name) {
    const element = this.querySelector(`[data-part="${name}"]`);
    if (!(element instanceof HTMLElement)) throw new Error(`The log has no part "${name}"`);
    return element;
  }
}

customElements.define("run-log", RunLog);
