import { html } from "hono/html";
import type { DeploymentRun } from "../../../runs/run.ts";
import { sentenceOf, short } from "../../../runs/sentences.ts";
import type { EnvironmentState } from "../environments.ts";
import type { House } from "../house.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { pathOf } from "./layout.ts";
import { lookOf } from "./look.ts";
import { ago } from "./times.ts";
import { commitLink, personIn, pullRequestLink } from "./who.ts";

/** What is live or on its way, who and since when; then the lock, and what waits or went wrong since. */
export function stateOf(house: House, state: EnvironmentState): Html {
  const { unfinished, troubled, lock } = state;
  const now = house.clock();
  const running = unfinished.find((run) => run.state === "running") ?? null;
  const waiting = unfinished.findLast((run) => run.state !== "running") ?? null;
  return html`${running === null ? liveItem(house, state, now) : runningItem(house, state, running, now)}
${lock === null ? "" : html`<p class="strip lock">${icon("lock")}<span><strong>Locked by ${lock.by}</strong> ${ago(lock.since, now)}. ${lock.reason}</span></p>`}
${waiting === null ? "" : newestItem(state, waiting)}
${troubled === null || running !== null ? "" : newestItem(state, troubled)}`;
}

function liveItem(house: House, { live, repository }: EnvironmentState, now: number): Html {
  if (live === null) return html`<p class="what muted">Nothing is live here yet.</p>`;
  return html`<p class="what"><span class="live">Live</span> ${titleOf(live)}</p>${factsOf(house, repository, live, sinceOf(live), now)}`;
}

function runningItem(house: House, { live, repository }: EnvironmentState, run: DeploymentRun, now: number): Html {
  const since = run.state === "running" ? run.attempt.startedAt : run.createdAt;
  return html`<p class="what" data-look="running"><span class="verdict state">${icon("running")}Running</span> ${titleOf(run)}</p>
${factsOf(house, repository, run, since, now)}
${live === null ? "" : html`<p class="facts until">Live until then: ${commitLink(house.settings.github.web, repository, live.sha)}<span>${live.title ?? ""}</span></p>`}`;
}

function factsOf(house: House, repository: EnvironmentState["repository"], run: DeploymentRun, since: Date, now: number): Html {
  return html`<p class="facts">${commitLink(house.settings.github.web, repository, run.sha)}${pullRequestLink(repository, run.pullRequest)}${personIn(
    run.person,
  )}${ago(since, now)}<a href="${pathOf(repository)}/runs/${run.id}">run ${run.id}</a></p>`;
}

function newestItem({ repository }: EnvironmentState, run: DeploymentRun): Html {
  const look = lookOf(run);
  return html`<p class="newest" data-look="${look}">${icon(look)}<a href="${pathOf(repository)}/runs/${run.id}">${short(run.sha)}</a> <span class="verdict">${sentenceOf(run)}</span></p>`;
}

function titleOf(run: DeploymentRun): Html | string {
  return run.title ?? html`<span class="sha">${short(run.sha)}</span>`;
}

/** When it went live. */
function sinceOf(live: DeploymentRun): Date {
  return live.state === "finished" ? live.finishedAt : live.createdAt;
}

/** What the tab shows: whether somebody must look. `null` while nothing was ever deployed. */
export function lookOfEnvironment({ troubled, unfinished, live }: EnvironmentState): Look | null {
  if (troubled !== null) return "failed";
  if (unfinished.some(({ state }) => state === "running")) return "running";
  return unfinished.length > 0 ? "waiting" : live === null ? null : "passed";
}
