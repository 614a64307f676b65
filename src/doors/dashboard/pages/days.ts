import { html } from "hono/html";
import type { Numbers } from "../../../deployments/numbers.ts";
import { tookInWords } from "../client/times.js";
import type { Html } from "./html.ts";

const height = 24;
const width = 5;
const step = 7;

/** A bar for each day, and the same in words: what failed stands on top in its own colour. */
export function dayBars({ days, deployments, duration }: Numbers): Html {
  const failed = days.reduce((sum, day) => sum + day.failed, 0);
  const most = Math.max(1, ...days.map((day) => day.passed + day.failed));
  const words = `${deployments} in ${days.length} days${failed === 0 ? "" : `, ${failed} failed`}${duration === null ? "" : `, median ${tookInWords(duration)}`}`;
  const share = (count: number) => (count === 0 ? 0 : Math.max(3, Math.round((count / most) * height)));
  return html`<p class="days"><svg class="bars" viewBox="0 0 ${days.length * step} ${height}" width="${days.length * step}" height="${height}" aria-hidden="true">${days.map(
    (day, at) => {
      const [good, all] = [share(day.passed), share(day.passed + day.failed)];
      if (all === 0) return html`<rect class="none" x="${at * step}" y="${height - 1}" width="${width}" height="1"/>`;
      const bad = all - good;
      return html`${good === 0 ? "" : html`<rect class="good" x="${at * step}" y="${height - good}" width="${width}" height="${good}"/>`}${
        bad === 0 ? "" : html`<rect class="bad" x="${at * step}" y="${height - all}" width="${width}" height="${bad}"/>`
      }`;
    },
  )}</svg><span>${words}</span></p>`;
}
