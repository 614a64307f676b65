import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { Loaded } from "../../../repository-file/load.ts";
import type { DeploymentRun, Run } from "../../../runs/run.ts";
import type { EnvironmentState } from "../environments.ts";
import type { House } from "../house.ts";
import { commitList } from "./commits.ts";
import { dayBars } from "./days.ts";
import { deploymentTable } from "./deployments.ts";
import { environmentButtons } from "./environment-buttons.ts";
import { lookOfEnvironment, stateOf } from "./environment-state.ts";
import type { Viewer } from "./frame.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { noRunsYet, runTable } from "./runs.ts";
import { commitLink } from "./who.ts";

export interface EnvironmentsView {
  readonly repository: Repository;
  readonly file: Loaded | null;
  readonly environments: readonly EnvironmentState[];
  readonly deployments: readonly DeploymentRun[];
  readonly latest: readonly Run[];
}

const commitsShown = 5;

/** What is live where, since when, by whom; what waits and why. */
export function environmentsPage(house: House, viewer: Viewer, view: EnvironmentsView): Html {
  const { repository, environments, deployments, latest } = view;
  const { session, said } = viewer;
  const look = worstOf(environments);
  return layout(house, {
    title: `${titleOf(look)}${repository.owner}/${repository.name}`,
    ...(look === null ? {} : { look }),
    session,
    said,
    repository,
    tab: "environments",
    body: html`<div class="page">
<h1>Environments</h1>
<p class="about">${headline(house, view)}</p>
${noticeOf(house, view)}
${environments.length === 0 ? noEnvironmentYet : html`<ul class="environments">${environments.map((one) => environmentItem(house, viewer, one))}</ul>`}
<div class="columns">
${behind(house, environments)}
<section><h2>${deployments.length === 0 ? "Latest runs" : "Latest deployments"}</h2>
${deployments.length > 0 ? deploymentTable(house, repository, deployments, "Latest deployments") : latest.length === 0 ? noRunsYet(repository) : runTable(repository, latest, house.clock())}
${latest.length === 0 ? "" : html`<p class="more"><a href="${pathOf(repository)}/runs">All runs</a></p>`}</section>
</div></div>`,
  });
}

function headline(house: House, { repository, environments }: EnvironmentsView): Html {
  const first = environments.find(({ head }) => head !== null);
  if (first === undefined || first.head === null) return html`What is live where.`;
  return html`What is live where. Branch <code>${first.branch}</code> is at ${commitLink(house.settings.github.web, repository, first.head)}.`;
}

function noticeOf(house: House, { repository, file, environments }: EnvironmentsView): Html | "" {
  const path = `${house.settings.github.web}${pathOf(repository)}/blob/${repository.defaultBranch}/.github/signalbox.yml`;
  if (file === null) return html`<p class="strip">GitHub does not answer now: what the repository's file says is not shown.</p>`;
  switch (file.kind) {
    case "file":
      return "";
    case "none":
      return environments.length === 0
        ? ""
        : html`<p class="strip">There is no <code>.github/signalbox.yml</code> on ${repository.defaultBranch}: nothing is deployed any more.</p>`;
    case "mistakes":
      return html`<p class="strip">Nothing is deployed until <a href="${path}">.github/signalbox.yml</a> on ${repository.defaultBranch} is right: ${file.mistakes.length === 1 ? "it has a mistake" : `it has ${file.mistakes.length} mistakes`}.</p>`;
  }
}

const noEnvironmentYet: Html = html`<p class="teach">Nothing was deployed yet. Name a place under <code>environments:</code> in <code>.github/signalbox.yml</code>
and merge a pull request: what is live there stands here from then on.</p>`;

function environmentItem(house: House, { doer }: Viewer, state: EnvironmentState): Html {
  const { repository, name, url, behind, numbers } = state;
  const page = `${pathOf(repository)}/environments/${name}`;
  return html`<li id="${name}"><div class="place"><h2><a href="${page}">${name}</a></h2>${url === null ? "" : html`<a class="site" href="${url}" rel="noreferrer">${hostOf(url)}${icon("external")}</a>`}</div>
<div>${stateOf(house, state)}</div>
<div class="counts">${
    behind === null
      ? html`<p class="muted">${state.plan === null ? "Not in the file" : "Commits not counted now"}</p>`
      : behind.commits.length === 0
        ? html`<p class="muted">Up to date with ${state.branch}</p>`
        : html`<p><a href="${page}#why"><strong>${countOf(behind)}</strong> ${behind.commits.length === 1 ? "commit" : "commits"} not deployed</a></p>`
  }${dayBars(numbers)}</div>
${environmentButtons(state, doer, house.clock())}</li>`;
}

function behind(house: House, environments: readonly EnvironmentState[]): Html {
  const waiting = environments.filter((state) => state.behind !== null && state.behind.commits.length > 0);
  if (waiting.length === 0)
    return html`<section><h2>Not deployed</h2><p class="muted">${environments.length === 0 ? "Nothing yet." : "Every commit is live everywhere."}</p></section>`;
  return html`<div>${waiting.map((state) => {
    const { commits, complete } = state.behind ?? { commits: [], complete: true };
    return html`<section><h2>Not on ${state.name} <span class="badge">${countOf({ commits, complete })}</span></h2>
${commitList(house, state.repository, commits.slice(0, commitsShown))}
${commits.length > commitsShown ? html`<p class="more"><a href="${pathOf(state.repository)}/environments/${state.name}#why">All ${countOf({ commits, complete })}</a></p>` : ""}</section>`;
  })}</div>`;
}

/** Of several environments, what somebody must look at first. */
function worstOf(environments: readonly EnvironmentState[]): Look | null {
  const looks = environments.map(lookOfEnvironment);
  return (["failed", "running", "waiting", "passed"] as const).find((look) => looks.includes(look)) ?? null;
}

function titleOf(look: Look | null): string {
  if (look === "failed") return "Failed: ";
  return look === "running" ? "Deploying: " : look === "waiting" ? "Waiting: " : "";
}

export function hostOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname === "/" ? "" : pathname}`;
}

/** An environment's name, leading to its page. */
export function environmentName(repository: Repository, name: string): Html {
  return html`<a href="${pathOf(repository)}/environments/${name}">${name}</a>`;
}

/** `100+` when there are more than GitHub lists. */
export function countOf({ commits, complete }: NonNullable<EnvironmentState["behind"]>): string {
  return complete || commits.length < 100 ? String(commits.length) : `${commits.length}+`;
}
