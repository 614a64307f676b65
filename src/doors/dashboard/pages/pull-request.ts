import { html } from "hono/html";
import type { PullRequestHead } from "../../../checks/heads.ts";
import type { MissingContext } from "../../../checks/missing-contexts.ts";
import type { Repository } from "../../../github/repository.ts";
import type { CheckRun, DeploymentRun, Run } from "../../../runs/run.ts";
import { sentenceOf } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import { webAddress } from "../web-address.ts";
import { missingList } from "./commit.ts";
import { environmentName, hostOf } from "./environments.ts";
import type { Viewer } from "./frame.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { lookOf, nameOf } from "./look.ts";
import { runButtons } from "./run-buttons.ts";
import { ago, took } from "./times.ts";
import { commitLink } from "./who.ts";

export interface PullRequestView {
  readonly repository: Repository;
  readonly head: PullRequestHead;
  /** Of the newest commit. */
  readonly checks: readonly CheckRun[];
  readonly missing: readonly MissingContext[];
  /** Earlier pushes, the newest first. */
  readonly older: readonly { readonly sha: string; readonly checks: readonly CheckRun[] }[];
  /** The newest of each environment, previews first. */
  readonly deployments: readonly DeploymentRun[];
}

/** A pull request: where it is to be seen, a row for each check of its newest commit, and what was before. */
export function pullRequestPage(house: House, viewer: Viewer, view: PullRequestView): Html {
  const { repository, head, checks, missing, older, deployments } = view;
  const look = worst(checks);
  const gitHub = house.settings.github.web;
  return layout(house, {
    title: `${wordOf(look)}#${head.number} ${head.title}`,
    ...(look === null ? {} : { look }),
    session: viewer.session,
    said: viewer.said,
    repository,
    tab: "runs",
    body: html`<div class="page">
<h1>${head.title} <a class="number" href="${gitHub}${pathOf(repository)}/pull/${head.number}">#${head.number}</a></h1>
<p class="facts"><span class="phase ${head.state}">${head.state}</span><span>${head.author}</span><span>into ${head.baseRef}</span>${commitLink(gitHub, repository, head.headSha)}${head.fork ? html`<span>from a fork</span>` : ""}${ago(head.updatedAt, house.clock())}</p>
${deployments.length === 0 ? "" : html`<section><h2>Where it is</h2><ul class="places">${deployments.map((run) => placeItem(house, viewer, repository, run))}</ul></section>`}
<section><h2>Checks</h2>${missingList(missing)}${checks.length === 0 ? html`<p class="teach">No check of this commit was started. A file <code>.github/signalbox.yml</code> at ${head.fork ? "the base branch" : "its head"} names them.</p>` : checkRows(house, viewer, repository, checks)}</section>
${older.length === 0 ? "" : html`<section><h2>Earlier pushes</h2>${older.map((push) => olderPush(house, repository, push))}</section>`}</div>`,
  });
}

function placeItem(house: House, { doer }: Viewer, repository: Repository, run: DeploymentRun): Html {
  const url = run.state === "finished" && run.outcome.kind === "passed" ? webAddress(run.outcome.live?.url) : null;
  return html`<li data-look="${lookOf(run)}"><span class="state">${icon(lookOf(run))}</span>
<div><p class="what">${environmentName(repository, run.environment)}${url === null ? "" : html` <a class="site" href="${url}" rel="noreferrer">${hostOf(url)}${icon("external")}</a>`}</p>
<p class="facts"><a href="${pathOf(repository)}/runs/${run.id}">run ${run.id}</a><span class="verdict">${sentenceOf(run)}</span>${ago(run.createdAt, house.clock())}</p></div>
${run.state === "finished" ? "" : runButtons(repository, run, doer)}</li>`;
}

function checkRows(house: House, { doer }: Viewer, repository: Repository, checks: readonly CheckRun[]): Html {
  return html`<ol class="runs">${checks.map(
    (run) => html`<li data-look="${lookOf(run)}"><span class="state">${icon(lookOf(run))}</span>
<div><p class="what"><a href="${pathOf(repository)}/runs/${run.id}">${nameOf(run)}</a></p>
<p class="facts"><span class="verdict">${sentenceOf(run)}</span>${run.state === "running" ? took(run.attempt.startedAt, null, house.clock()) : ""}</p></div>
${runButtons(repository, run, doer)}</li>`,
  )}</ol>`;
}

function olderPush(house: House, repository: Repository, { sha, checks }: PullRequestView["older"][number]): Html {
  return html`<details class="push"><summary>${icon(worst(checks) ?? "queued")}<span class="sha">${sha.slice(0, 7)}</span> <span class="muted">${checks.map(nameOf).join(", ")}</span></summary>
${checkRows(house, { session: null, doer: null, said: null }, repository, checks)}</details>`;
}

/** What somebody must look at first. */
function worst(runs: readonly Run[]): Look | null {
  const looks = runs.map(lookOf);
  const order: readonly Look[] = ["failed", "errored", "lost", "running", "waiting", "queued", "cancelled", "passed"];
  return order.find((look) => looks.includes(look)) ?? null;
}

function wordOf(look: Look | null): string {
  if (look === null || look === "queued") return "";
  return look === "passed" ? "Passed: " : look === "running" ? "Running: " : look === "waiting" ? "Waiting: " : "Failed: ";
}
