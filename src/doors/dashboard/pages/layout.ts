import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { House } from "../house.ts";
import type { Said } from "../said.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { icon, iconDrawings, type Look } from "./icons.ts";

export interface Page {
  /** What the tab says, before the product's name. */
  readonly title: string;
  readonly look?: Look;
  readonly session?: Session | null;
  readonly repository?: Pick<Repository, "owner" | "name">;
  readonly tab?: "environments" | "runs" | "deliveries";
  /** What became of the deed that led here. */
  readonly said?: Said | null;
  /** Fills the window instead of scrolling. */
  readonly whole?: boolean;
  readonly scripts?: readonly string[];
  readonly body: Html;
}

/** The frame of every page: one way round the house, the visitor, and the main part. */
export function layout({ assets, clock }: Pick<House, "assets" | "clock">, page: Page): Html {
  const tab = page.look ?? "signalbox";
  return html`<!doctype html>
<html lang="en" data-now="${new Date(clock()).toISOString()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · Signalbox</title>
<link rel="icon" type="image/svg+xml" href="${assets.address(`icons/${tab}.svg`)}">
<link rel="stylesheet" href="${assets.address("style.css")}">
<script type="module" src="${assets.address("client/page.js")}"></script>
${(page.scripts ?? []).map((script) => html`<script type="module" src="${assets.address(script)}"></script>`)}
</head>
<body class="${page.whole ? "whole" : ""}">
<a class="skip" href="#main">Skip to the content</a>
${iconDrawings}
<header class="top">
<a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Signalbox</a>
${page.repository === undefined ? "" : navigation(page.repository, page.tab)}
${page.session === undefined || page.session === null ? "" : visitor(page.session)}
</header>
<main id="main" tabindex="-1">${page.said === undefined || page.said === null ? "" : saidStrip(page.said)}${page.body}</main>
</body>
</html>
`;
}

/** The address of a repository's pages. */
export function pathOf({ owner, name }: Pick<Repository, "owner" | "name">): string {
  return `/${owner}/${name}`;
}

function navigation(repository: Pick<Repository, "owner" | "name">, tab: Page["tab"]): Html {
  const home = pathOf(repository);
  const current = (name: Page["tab"]) => (tab === name ? html`aria-current="page"` : "");
  return html`<a class="where" href="${home}">${repository.owner} / <strong>${repository.name}</strong></a>
<nav aria-label="Repository">
<a href="${home}" ${current("environments")}>Environments</a>
<a href="${home}/runs" ${current("runs")}>Runs</a>
<a href="${home}/deliveries" ${current("deliveries")}>Deliveries</a>
</nav>`;
}

function saidStrip({ kind, text }: Said): Html {
  return html`<p class="said ${kind}" role="${kind === "done" ? "status" : "alert"}">${icon(kind === "done" ? "passed" : "errored")}<span>${text}</span></p>`;
}

function visitor({ person, csrf }: Session): Html {
  return html`<div class="visitor">
<button type="button" class="face" popovertarget="visitor" aria-label="Signed in as ${person.login}">${person.login.slice(0, 1).toUpperCase()}</button>
<div id="visitor" class="menu" popover>
<p>Signed in as <strong>${person.login}</strong></p>
<form method="post" action="/-/logout"><input type="hidden" name="csrf" value="${csrf}"><button>Sign out</button></form>
</div>
</div>`;
}
