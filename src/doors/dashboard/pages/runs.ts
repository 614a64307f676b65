import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { Run } from "../../../runs/run.ts";
import { sentenceOf, short } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { Viewer } from "./frame.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { lookOf, nameOf, wordFor } from "./look.ts";
import { ago } from "./times.ts";
import { pullRequestLink } from "./who.ts";

export interface RunsView {
  readonly repository: Repository;
  readonly runs: readonly Run[];
  /** Older ones exist. */
  readonly more: boolean;
  readonly names: readonly string[];
  readonly filter: { readonly name: string | null; readonly look: Look | null };
}

/** All runs of a repository, newest first, some at a time. */
export function runsPage(house: House, { session, said }: Viewer, view: RunsView): Html {
  const { repository, runs, more, filter } = view;
  const isFiltered = filter.name !== null || filter.look !== null;
  return layout(house, {
    title: `Runs of ${repository.name}`,
    session,
    said,
    repository,
    tab: "runs",
    body: html`<div class="page"><h1>Runs</h1>
${isFiltered || runs.length > 0 ? filterForm(view) : ""}
${runs.length > 0 ? runTable(repository, runs, house.clock()) : isFiltered ? html`<p class="teach">No run is like that. <a href="${pathOf(repository)}/runs">All runs</a></p>` : noRunsYet(repository)}
${more ? html`<p class="more"><a href="${olderThan(view)}" rel="next">Older runs</a></p>` : ""}</div>`,
  });
}

function olderThan({ repository, runs, filter }: RunsView): string {
  const query = new URLSearchParams({
    ...(filter.name === null ? {} : { name: filter.name }),
    ...(filter.look === null ? {} : { state: filter.look }),
    before: String(runs.at(-1)?.id ?? 0),
  });
  return `${pathOf(repository)}/runs?${query}`;
}

function filterForm({ repository, names, filter }: RunsView): Html {
  const chosen = (is: boolean) => (is ? "selected" : "");
  return html`<form class="filter" method="get" action="${pathOf(repository)}/runs">
<label>What <select name="name"><option value="">Everything</option>${names.map((name) => html`<option ${chosen(name === filter.name)}>${name}</option>`)}</select></label>
<label>State <select name="state"><option value="">Any</option>${Object.entries(wordFor).map(
    ([look, word]) => html`<option value="${look}" ${chosen(look === filter.look)}>${word}</option>`,
  )}</select></label>
<button>Show</button></form>`;
}

export function runTable(repository: Repository, runs: readonly Run[], now: number): Html {
  return html`<ol class="runs">${runs.map((run) => runItem(repository, run, now))}</ol>`;
}

function runItem(repository: Repository, run: Run, now: number): Html {
  const look = lookOf(run);
  return html`<li data-look="${look}">
<span class="state">${icon(look)}</span>
<div><p class="what"><a href="${pathOf(repository)}/runs/${run.id}">${nameOf(run)}</a> <span class="about">${run.title ?? ""}</span></p>
<p class="facts"><span class="verdict">${sentenceOf(run)}</span></p></div>
<p class="facts"><span class="sha">${short(run.sha)}</span>${pullRequestLink(repository, run.pullRequest)}${
    run.person === null ? "" : html`<span>${run.person}</span>`
  }${ago(run.createdAt, now)}</p></li>`;
}

/** What a repository needs before anything can run. */
export function noRunsYet({ owner, name }: Repository): Html {
  return html`<div class="teach"><p>Nothing has run for ${owner}/${name} yet. Put this file on a branch as <code>.github/signalbox.yml</code> and open a pull request:</p>
<pre tabindex="0"><code>checks:
  test:
    run: |
      npm ci
      npm test

environments:
  staging:
    trigger: merge
    target: directory
    with: { path: staging }</code></pre></div>`;
}
