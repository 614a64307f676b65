import { html } from "hono/html";
import type { Past } from "../../../deeds/read-history.ts";
import type { Repository } from "../../../github/repository.ts";
import type { PastAttempt } from "../../../runs/read.ts";
import type { Run } from "../../../runs/run.ts";
import { short } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { RunNews, StepNews } from "../run-news.ts";
import type { WaysOn } from "../ways-on.ts";
import type { Doer } from "./confirm.ts";
import { onwardQuestions } from "./deployment-questions.ts";
import type { Viewer } from "./frame.ts";
import { historyList } from "./history.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { around, type LogView, logSection } from "./log.ts";
import { lookOfOutcome, nameOf, wordFor } from "./look.ts";
import { runButtons } from "./run-buttons.ts";
import { ago, took } from "./times.ts";

export interface RunView {
  readonly history: readonly Past[];
  readonly run: Run;
  /** Of a deployment that has ended; `null` for who may do nothing about it. */
  readonly ways: WaysOn | null;
  readonly repository: Repository;
  readonly news: RunNews;
  /** Those of the attempt that is shown. */
  readonly steps: readonly StepNews[];
  readonly attempts: readonly PastAttempt[];
  readonly log: LogView;
}

/** The page that each status on GitHub leads to. */
export function runPage(house: House, { session, said, doer }: Viewer, view: RunView): Html {
  const now = house.clock();
  return layout(house, {
    title: view.news.title,
    look: view.news.look,
    session,
    said,
    repository: view.repository,
    tab: "runs",
    whole: true,
    scripts: ["client/run-log.js"],
    body: html`<article class="run">${head(house, view, doer, now)}${side(view, now)}${logSection(view.log)}</article>
<template id="step">${stepItem({ ...emptyStep, href: "" }, now)}</template>
<template id="tab-icons">${tabIconLinks(house)}</template>`,
  });
}

function head({ settings }: House, view: RunView, doer: Doer | null, now: number): Html {
  const { run, repository, news, ways } = view;
  const then = run.kind === "check" || ways === null ? [] : onwardQuestions(repository, run, ways, now);
  const gitHub = `${settings.github.web}${pathOf(repository)}`;
  return html`<header class="head" id="run" data-look="${news.look}"><div>
<h1><span class="state" data-part="look">${icon(news.look)}<span class="unseen">${news.word}</span></span>${nameOf(run)} <span class="number">run ${run.id}</span></h1>
<p class="verdict"><strong data-part="sentence" role="status">${news.sentence}</strong> <span class="took" data-part="took">${
    news.startedAt !== null && news.finishedAt === null ? took(new Date(news.startedAt), null, now) : ""
  }</span></p>
<p class="facts">
${run.pullRequest === null ? titleAlone(run) : html`<a href="${pathOf(repository)}/pulls/${run.pullRequest}">#${run.pullRequest} ${run.title ?? ""}</a>`}
<a class="sha" href="${gitHub}/commit/${run.sha}">${short(run.sha)}</a>
${run.ref === null ? "" : html`<span class="branch">${icon("branch")}${branchOf(run.ref)}</span>`}
${run.kind === "check" && run.trust === "fork" ? html`<span>from a fork</span>` : ""}
${run.person === null ? "" : html`<span>${run.person}</span>`}
${ago(run.createdAt, now)}
${run.kind === "deployment" ? html`<a href="${pathOf(repository)}/environments/${run.environment}">${run.environment}</a>` : ""}
<a class="site" data-part="url" href="${news.url ?? ""}" rel="noreferrer" ${news.url === null ? "hidden" : ""}>${icon("external")}<span>Open the site</span></a>
</p></div>${runButtons(repository, run, doer, then)}
</header>`;
}

function titleAlone(run: Run): Html | "" {
  return run.title === null ? "" : html`<span>${run.title}</span>`;
}

function branchOf(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, "");
}

function side(view: RunView, now: number): Html {
  const { attempts, log, steps, history } = view;
  return html`<aside class="side">
<nav aria-label="Steps"><ol id="steps">${steps.map((step) => stepItem({ ...step, href: around(log, step.firstLine) }, now))}</ol></nav>
${attempts.length < 2 ? "" : html`<nav class="attempts" aria-label="Attempts"><h2>Attempts</h2><ol>${attempts.map((one) => attemptItem(view, one, now)).reverse()}</ol></nav>`}
${history.length === 0 ? "" : html`<section><h2>History</h2>${historyList(view.repository, history, now)}</section>`}
</aside>`;
}

function attemptItem({ log, news }: RunView, { number, outcome, startedAt }: PastAttempt, now: number): Html {
  const look = lookOfAttempt(number, outcome, news);
  return html`<li><a href="${log.path}?attempt=${number}" ${number === log.attempt ? html`aria-current="page"` : ""}>
<span class="state">${icon(look)}<span class="unseen">${wordFor[look]}</span></span><span class="name">Attempt ${number}</span><span class="took">${ago(startedAt, now)}</span></a></li>`;
}

/** An attempt without an outcome is the one that goes on, or it was broken off and put back into the queue. */
export function lookOfAttempt(number: number, outcome: PastAttempt["outcome"], news: RunNews): Look {
  if (outcome !== null) return lookOfOutcome(outcome);
  return number === news.attempt && news.look === "running" ? "running" : "cancelled";
}

/** The same element is the pattern that the browser makes new steps from, so each part of it has a name. */
function stepItem(step: StepNews & { readonly href: string }, now: number): Html {
  const end = step.finishedAt === null ? null : new Date(step.finishedAt);
  const duration = step.finishedAt === null && step.look !== "running" ? "" : took(new Date(step.startedAt), end, now);
  return html`<li><a href="${step.href}" data-line="${step.firstLine}">
<span class="state" data-part="look">${icon(step.look)}<span class="unseen">${step.word}</span></span><span class="name" data-part="name">${step.name}</span><span class="took" data-part="took">${duration}</span></a></li>`;
}

const emptyStep: StepNews = {
  number: 0,
  name: "",
  look: "running",
  word: "",
  startedAt: new Date(0).toISOString(),
  finishedAt: null,
  firstLine: 1,
};

function tabIconLinks({ assets }: House): readonly Html[] {
  return Object.keys(wordFor).map((look) => html`<link data-look="${look}" href="${assets.address(`icons/${look}.svg`)}">`);
}
