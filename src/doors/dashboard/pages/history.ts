import { html } from "hono/html";
import type { Past } from "../../../deeds/read-history.ts";
import type { Repository } from "../../../github/repository.ts";
import type { Html } from "./html.ts";
import { pathOf } from "./layout.ts";
import { ago } from "./times.ts";

const doorWords = {
  comment: "by comment",
  "check run": "on GitHub",
  page: "on a page",
  "command line": "on the command line",
  server: "",
} as const;

/** Who did what, when, and why. */
export function historyList(repository: Repository, entries: readonly Past[], now: number): Html {
  return html`<ol class="history">${entries.map(
    (entry) =>
      html`<li><p><strong>${entry.person}</strong> ${deedInWords(entry)}${
        entry.run === null ? "" : html` <a href="${pathOf(repository)}/runs/${entry.run}">run ${entry.run}</a>`
      }${entry.reason === null ? "" : html`: <q>${entry.reason}</q>`}</p><p class="facts">${ago(entry.at, now)}<span>${doorWords[entry.door]}</span></p></li>`,
  )}</ol>`;
}

/** Deeds of later versions are said by their name. */
function deedInWords({ deed }: Past): string {
  return deedWords.get(deed) ?? deed;
}

const deedWords: ReadonlyMap<string, string> = new Map([
  ["approve checks", "approved the checks"],
  ["approve environment", "approved"],
  ["break glass", "broke the glass"],
  ["cancel", "cancelled"],
  ["deploy", "deployed"],
  ["handle again", "had a delivery handled again"],
  ["lock", "locked it"],
  ["promote", "promoted"],
  ["redeliver", "had GitHub deliver again"],
  ["retry", "ran again"],
  ["roll back", "rolled back"],
  ["rollback", "rolled back"],
  ["unlock", "unlocked it"],
]);
