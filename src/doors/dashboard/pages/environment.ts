import { html } from "hono/html";
import type { Past } from "../../../deeds/read-history.ts";
import type { Numbers } from "../../../deployments/numbers.ts";
import type { DeploymentRun } from "../../../runs/run.ts";
import { tookInWords } from "../client/times.js";
import type { EnvironmentState } from "../environments.ts";
import type { House } from "../house.ts";
import { commitList } from "./commits.ts";
import { dayBars } from "./days.ts";
import { deploymentTable } from "./deployments.ts";
import { environmentButtons } from "./environment-buttons.ts";
import { lookOfEnvironment, stateOf } from "./environment-state.ts";
import { countOf, hostOf } from "./environments.ts";
import type { Viewer } from "./frame.ts";
import { historyList } from "./history.ts";
import type { Html } from "./html.ts";
import { icon } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";

export interface EnvironmentView {
  readonly state: EnvironmentState;
  /** Of the last 30 days. */
  readonly month: Numbers;
  readonly deployments: readonly DeploymentRun[];
  /** Older ones exist. */
  readonly more: boolean;
  readonly history: readonly Past[];
}

/** One environment: what is live, what is not and why, how it goes, and who did what. */
export function environmentPage(house: House, { session, said, doer }: Viewer, view: EnvironmentView): Html {
  const { state, month, deployments, more, history } = view;
  const { repository, name, url } = state;
  const [home, now] = [pathOf(repository), house.clock()];
  const last = deployments.at(-1);
  const look = lookOfEnvironment(state);
  return layout(house, {
    title: `${name} · ${repository.name}`,
    ...(look === null ? {} : { look }),
    session,
    said,
    repository,
    tab: "environments",
    body: html`<div class="page">
<header class="environment"><div><h1>${name}</h1>${url === null ? "" : html`<a class="site" href="${url}" rel="noreferrer">${hostOf(url)}${icon("external")}</a>`}
${stateOf(house, state)}</div>${environmentButtons(state, doer, now)}</header>
<section id="why"><h2>Why is this not deployed?</h2>${why(house, state)}</section>
<section><h2>The last 30 days</h2>${numbersList(month)}</section>
<section><h2>Deployments</h2>${
      deployments.length === 0
        ? html`<p class="muted">None yet.</p>`
        : deploymentTable(house, repository, deployments, `Deployments to ${name}`, false)
    }${more && last !== undefined ? html`<p class="more"><a href="${home}/runs?name=${name}&before=${last.id}">Older deployments</a></p>` : ""}</section>
<section><h2>History</h2>${history.length === 0 ? html`<p class="muted">Nobody has done anything here by hand.</p>` : historyList(repository, history, now)}</section></div>`,
  });
}

function why(house: House, state: EnvironmentState): Html {
  const { behind, branch, name, plan } = state;
  if (plan === null)
    return html`<p class="muted">The default branch's file has no environment “${name}”, or it cannot be read now: nothing is deployed here.</p>`;
  if (behind === null) return html`<p class="muted">GitHub did not answer; reload in a moment.</p>`;
  const { commits } = behind;
  if (commits.length === 0) return html`<p class="muted">Every commit of ${branch} is live.</p>`;
  return html`<p class="about">${commits.length === 1 ? "One commit" : `${countOf(behind)} commits`} of ${branch} ${commits.length === 1 ? "is" : "are"} not live on ${name}.</p>
${commitList(house, state.repository, commits)}`;
}

/** Each as a figure with what it means; the chart says the same as the first of them. */
function numbersList(numbers: Numbers): Html {
  const { deployments, days, leadTime, failureRate, timeToRecover } = numbers;
  const perDay = deployments / days.length;
  const often = deployments === 0 ? "None" : perDay >= 1 ? `${round(perDay)} a day` : `${round(perDay * 7)} a week`;
  return html`<dl class="numbers">
<div><dt>Deployments</dt><dd>${often}</dd><dd>${dayBars(numbers)}</dd></div>
<div><dt>Merge to live</dt><dd>${leadTime === null ? "–" : tookInWords(leadTime)}</dd><dd class="means">median</dd></div>
<div><dt>Failed</dt><dd>${failureRate === null ? "–" : `${Math.round(failureRate * 100)} %`}</dd><dd class="means">of those that ended</dd></div>
<div><dt>Time to recover</dt><dd>${timeToRecover === null ? "–" : tookInWords(timeToRecover)}</dd><dd class="means">median, from a failure to the next success</dd></div></dl>`;
}

function round(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}
