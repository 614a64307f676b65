import { html, raw } from "hono/html";
import type { Html } from "./html.ts";

/** How a run looks: its icon, its colour and the picture of its tab. */
export type Look = "passed" | "failed" | "errored" | "cancelled" | "lost" | "running" | "queued" | "waiting";

export type IconName =
  | Look
  | "branch"
  | "download"
  | "external"
  | "deploy"
  | "rollback"
  | "lock"
  | "unlock"
  | "stop"
  | "again"
  | "promote"
  | "approve"
  | "search";

const disc = '<circle cx="8" cy="8" r="8" fill="currentColor"/>';
const line = (path: string) =>
  `<path d="${path}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>`;
const cut = (path: string) =>
  `<path d="${path}" fill="none" stroke="var(--page, #fff)" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"/>`;

/** Each tells its state by its shape alone, for those who see no colours. */
const drawings: Readonly<Record<IconName, string>> = {
  passed: disc + cut("M4.75 8.25 7 10.5l4.25-4.75"),
  failed: disc + cut("m5.5 5.5 5 5m0-5-5 5"),
  errored: `<path d="M8 .5 16 15H0Z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/>${cut("M8 6v4m0 2.5v.1")}`,
  cancelled: `<circle cx="8" cy="8" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5"/>${line("m3 13 10-10")}`,
  lost: disc + cut("M6 6.25a2 2 0 1 1 2.6 1.9c-.4.15-.6.45-.6.85m0 2.5v.1"),
  running: line("M13.9 6.5A6.1 6.1 0 0 0 2.6 5M2.1 9.5A6.1 6.1 0 0 0 13.4 11M2.5 1.75V5h3.25M13.5 14.25V11h-3.25"),
  queued: `<circle cx="8" cy="8" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5"/>${line("M8 4v4.25l2.75 1.5")}`,
  waiting: `<circle cx="8" cy="8" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5"/>${line("M6.25 5.5v5m3.5-5v5")}`,
  branch:
    line("M4.5 5.5v5M4.5 9c0-2 1-2.5 3.5-2.5S11.5 6 11.5 5") +
    '<g fill="none" stroke="currentColor" stroke-width="1.5"><circle cx="4.5" cy="3.5" r="1.75"/><circle cx="4.5" cy="12.5" r="1.75"/><circle cx="11.5" cy="3.5" r="1.75"/></g>',
  download: line("M8 1.75v8m-3.25-3L8 10l3.25-3.25M2 11v2.25h12V11"),
  deploy: line("M8 10.5V2.25m0 0L4.75 5.5M8 2.25l3.25 3.25M2.5 10v3.5h11V10"),
  rollback: line("M2.5 8a5.5 5.5 0 1 0 1.6-3.9L2.5 5.75m0-3.25v3.25h3.25M8 5v3.25l2 1.25"),
  lock: line("M4.75 7V5a3.25 3.25 0 0 1 6.5 0v2M3.25 7h9.5v6.5h-9.5Z"),
  unlock: line("M4.75 7V5a3.25 3.25 0 0 1 6.3-1.1M3.25 7h9.5v6.5h-9.5Z"),
  stop: line("M5.25 1.5h5.5l3.75 3.75v5.5l-3.75 3.75h-5.5L1.5 10.75v-5.5ZM5.75 8h4.5"),
  again: line("M13.5 8A5.5 5.5 0 1 1 11.9 4.1l1.6 1.65m0-3.25v3.25h-3.25"),
  promote: line("M2.5 8h10.75M9 3.75 13.25 8 9 12.25"),
  approve: line("M8 1.5 13.5 4v4c0 3.25-2.5 5.5-5.5 6.5C5 13.5 2.5 11.25 2.5 8V4ZM5.5 8l1.9 1.9L10.75 6.5"),
  search: line("M11 11l3.25 3.25M7 12.25A5.25 5.25 0 1 0 7 1.75a5.25 5.25 0 0 0 0 10.5Z"),
  external: line("M9.5 2.5h4v4m0-4-6 6M6.5 3.5h-4v10h10v-4"),
};

/** The drawings that a page refers to; they stand once in each page, because some browsers take none from another file. */
export const iconDrawings: Html = html`<svg class="drawings" aria-hidden="true">${Object.entries(drawings).map(
  ([name, drawing]) => html`<symbol id="icon-${name}" viewBox="0 0 16 16">${raw(drawing)}</symbol>`,
)}</svg>`;

/** An icon for the eye only; the words beside it say the same. */
export function icon(name: IconName): Html {
  return html`<svg class="icon ${name}" viewBox="0 0 16 16" aria-hidden="true"><use href="#icon-${name}"></use></svg>`;
}

const tabColours: Readonly<Record<Look, string>> = {
  passed: "#1a7f37",
  failed: "#cf222e",
  errored: "#cf222e",
  lost: "#cf222e",
  cancelled: "#7d858d",
  running: "#bf8700",
  queued: "#7d858d",
  waiting: "#0969da",
};

const svg = (colour: string, drawing: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" color="${colour}">${drawing}</svg>`;

/** The pictures of a browser's tab, readable on light and dark ones. */
export const tabIcons: Readonly<Record<Look | "signalbox", string>> = {
  signalbox: svg(
    "#0b62c4",
    '<rect width="16" height="16" rx="4" fill="#0b62c4"/><circle cx="8" cy="5" r="2.25" fill="#ff6b60"/><circle cx="8" cy="11" r="2.25" fill="#5fd37a"/>',
  ),
  passed: svg(tabColours.passed, drawings.passed),
  failed: svg(tabColours.failed, drawings.failed),
  errored: svg(tabColours.errored, drawings.errored),
  lost: svg(tabColours.lost, drawings.lost),
  cancelled: svg(tabColours.cancelled, drawings.cancelled),
  running: svg(tabColours.running, drawings.running),
  queued: svg(tabColours.queued, drawings.queued),
  waiting: svg(tabColours.waiting, drawings.waiting),
};
