import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { DeploymentRun } from "../../../runs/run.ts";
import { sentenceOf } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { Html } from "./html.ts";
import { icon } from "./icons.ts";
import { pathOf } from "./layout.ts";
import { lookOf, wordFor } from "./look.ts";
import { ago, took } from "./times.ts";
import { commitLink } from "./who.ts";

const taskWords = { deploy: "Deploy", rollback: "Rollback", teardown: "Take down" } as const;

/** Deployments as a table: which, how it went, of what, by whom, when, how long. */
export function deploymentTable(
  house: House,
  repository: Repository,
  runs: readonly DeploymentRun[],
  caption: string,
  withEnvironment = true,
): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption class="unseen">${caption}</caption>
<thead><tr><th scope="col">Run</th><th scope="col">State</th>${withEnvironment ? html`<th scope="col">Environment</th>` : ""}<th scope="col">Commit</th><th scope="col">By</th><th scope="col">When</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${runs.map((run) => row(house, repository, run, withEnvironment))}</tbody></table></div>`;
}

function row(house: House, repository: Repository, run: DeploymentRun, withEnvironment: boolean): Html {
  const [home, look, now] = [pathOf(repository), lookOf(run), house.clock()];
  return html`<tr data-look="${look}"><td><a href="${home}/runs/${run.id}">${run.id}</a> <span class="muted">${taskWords[run.task]}</span></td>
<td title="${sentenceOf(run)}"><span class="state verdict">${icon(look)}${wordFor[look]}</span></td>
${withEnvironment ? html`<td><a href="${home}/environments/${run.environment}">${run.environment}</a></td>` : ""}
<td>${commitLink(house.settings.github.web, repository, run.sha)}</td><td>${run.person ?? ""}</td><td>${ago(run.createdAt, now)}</td><td class="number">${tookOf(run, now)}</td></tr>`;
}

function tookOf(run: DeploymentRun, now: number): Html | "" {
  if (run.state === "running") return took(run.attempt.startedAt, null, now);
  return run.state === "finished" && run.attempt !== null ? took(run.attempt.startedAt, run.finishedAt, now) : "";
}
