// @ts-check
import { serverNow } from "./clock.js";
import { renewButtons } from "./run-buttons.js";
import { tookInWords } from "./times.js";

/** @typedef {import("./live.js").News} News */
/** @typedef {import("./live.js").Step} Step */

/**
 * Brings the head of a run's page, its steps and its tab up to date.
 * @param {News} news
 * @param {{ path: string, attempt: number }} log
 */
export function showNews(news, log) {
  const head = document.getElementById("run");
  if (head === null) return;
  const sentence = part(head, "sentence");
  if (head.dataset.look !== news.look || sentence.textContent !== news.sentence) renewButtons();
  head.dataset.look = news.look;
  showLook(head, news);
  sentence.textContent = news.sentence;
  part(head, "took").replaceChildren(...(news.startedAt !== null && news.finishedAt === null ? [counting(news.startedAt)] : []));
  const site = part(head, "url");
  site.hidden = news.url === null;
  if (news.url !== null) site.setAttribute("href", news.url);
  document.getElementById("steps")?.replaceChildren(...news.steps.map((step) => stepElement(step, log)));
  document.title = `${news.title} · Signalbox`;
  showTabIcon(news.look);
}

/**
 * @param {Step} step
 * @param {{ path: string, attempt: number }} log
 */
function stepElement(step, { path, attempt }) {
  const pattern = document.getElementById("step");
  if (!(pattern instanceof HTMLTemplateElement)) throw new Error("The page has no pattern for steps");
  const item = /** @type {DocumentFragment} */ (pattern.content.cloneNode(true));
  const link = item.querySelector("a");
  link?.setAttribute("href", `${path}?attempt=${attempt}&line=${step.firstLine}#L${step.firstLine}`);
  link?.setAttribute("data-line", String(step.firstLine));
  showLook(item, step);
  part(item, "name").textContent = step.name;
  part(item, "took").replaceChildren(...durationOf(step));
  return item;
}

/** @param {Step} step */
function durationOf({ look, startedAt, finishedAt }) {
  if (finishedAt !== null) return [tookInWords(Date.parse(finishedAt) - Date.parse(startedAt))];
  return look === "running" ? [counting(startedAt)] : [];
}

/**
 * `page.js` lets it count.
 * @param {string} since
 */
function counting(since) {
  const element = document.createElement("span");
  element.dataset.since = since;
  element.textContent = tookInWords(serverNow() - Date.parse(since));
  return element;
}

/**
 * @param {ParentNode} within
 * @param {{ look: string, word: string }} news
 */
function showLook(within, { look, word }) {
  const element = part(within, "look");
  element.querySelector("svg")?.setAttribute("class", `icon ${look}`);
  element.querySelector("use")?.setAttribute("href", `#icon-${look}`);
  const unseen = element.querySelector(".unseen");
  if (unseen !== null) unseen.textContent = word;
}

/** @param {string} look */
function showTabIcon(look) {
  const icons = document.getElementById("tab-icons");
  const wanted =
    icons instanceof HTMLTemplateElement ? icons.content.querySelector(`[data-look="${look}"]`)?.getAttribute("href") : null;
  const shown = document.querySelector('link[rel="icon"]');
  if (wanted && shown?.getAttribute("href") !== wanted) shown?.setAttribute("href", wanted);
}

/**
 * @param {ParentNode} within
 * @param {string} name
 */
function part(within, name) {
  const element = within.querySelector(`[data-part="${name}"]`);
  if (!(element instanceof HTMLElement)) throw new Error(`The page has no part "${name}"`);
  return element;
}
