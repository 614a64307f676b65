// @ts-check
import { serverNow } from "./clock.js";
import { agoInWords, tookInWords } from "./times.js";

/** Brings every time on the page up to date. */
function refresh() {
  if (document.hidden) return;
  const now = serverNow();
  for (const time of document.querySelectorAll("time[data-ago]")) {
    write(time, agoInWords(now - Date.parse(time.getAttribute("datetime") ?? "")));
  }
  for (const span of document.querySelectorAll("[data-since]")) {
    write(span, tookInWords(now - Date.parse(span.getAttribute("data-since") ?? "")));
  }
}

/**
 * Leaves alone what is right already, so that a selection in it lasts.
 * @param {Element} element
 * @param {string} words
 */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

for (const time of document.querySelectorAll("time[data-ago]")) {
  const exact = new Date(time.getAttribute("datetime") ?? "");
  time.setAttribute("title", exact.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }));
}
setInterval(refresh, 1_000);
document.addEventListener("visibilitychange", refresh);
