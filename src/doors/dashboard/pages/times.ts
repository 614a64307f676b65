import { html } from "hono/html";
import { agoInWords, tookInWords } from "../client/times.js";
import type { Html } from "./html.ts";

/** `5 h ago`, with the exact time on hover; the browser keeps it true. */
export function ago(time: Date, now: number): Html {
  const exact = time.toISOString();
  return html`<time datetime="${exact}" title="${inFull(exact)}" data-ago>${agoInWords(now - time.getTime())}</time>`;
}

/** `1 min 12 s`; it goes on counting in the browser while there is no end. */
export function took(from: Date, to: Date | null, now: number): Html {
  const words = tookInWords((to?.getTime() ?? now) - from.getTime());
  return to === null ? html`<span data-since="${from.toISOString()}">${words}</span>` : html`${words}`;
}

function inFull(exact: string): string {
  return `${exact.slice(0, 10)} ${exact.slice(11, 19)} UTC`;
}
