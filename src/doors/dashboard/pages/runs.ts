import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { Run } from "../../../runs/run.ts";
import { sentenceOf, short } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { icon } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { lookOf, nameOf } from "./look.ts";
import { ago } from "./times.ts";

export interface RunsView {
  readonly repository: Repository;
  readonly runs: readonly Run[];
  /** Older ones exist. */
  readonly more: boolean;
}

/** All runs of a repository, newest first, some at a time. */
export function runsPage(house: House, session: Session | null, { repository, runs, more }: RunsView): Html {
  const last = runs.at(-1);
  return layout(house, {
    title: `Runs of ${repository.name}`,
    session,
    repository,
    tab: "runs",
    body: html`<div class="page"><h1>Runs</h1>
${runs.length === 0 ? noRunsYet(repository) : runTable(repository, runs, house.clock())}
${more && last !== undefined ? html`<p class="more"><a href="${pathOf(repository)}/runs?before=${last.id}">Older runs</a></p>` : ""}</div>`,
  });
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
<p class="facts"><span class="sha">${short(run.sha)}</span>${run.pullRequest === null ? "" : html`<span>#${run.pullRequest}</span>`}${
    run.person === null ? "" : html`<span>${run.person}</span>`
  }${ago(run.createdAt, now)}</p></li>`;
}

/** What a repository needs before anything can run. */
export function noRunsYet({ owner, name }: Repository): Html {
  return html`<div class="teach"><p>Nothing has run for ${owner}/${name} yet. Put this file on a branch as <code>.github/signalbox.yml</code> and open a pull request:</p>
<pre><code>checks:
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
