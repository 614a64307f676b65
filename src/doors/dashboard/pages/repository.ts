import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { DeploymentRun, Run } from "../../../runs/run.ts";
import { sentenceOf, short } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { icon } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { lookOf } from "./look.ts";
import { noRunsYet, runTable } from "./runs.ts";
import { ago } from "./times.ts";

export interface EnvironmentView {
  readonly name: string;
  readonly live: DeploymentRun | null;
  /** The newest that has not ended, or that ended badly after what is live began. */
  readonly newest: DeploymentRun | null;
}

export interface RepositoryView {
  readonly repository: Repository;
  readonly environments: readonly EnvironmentView[];
  readonly latest: readonly Run[];
}

/** What is live where, and what ran last. */
export function repositoryPage(house: House, session: Session | null, view: RepositoryView): Html {
  const { repository, environments, latest } = view;
  const now = house.clock();
  const home = pathOf(repository);
  return layout(house, {
    title: `${repository.owner}/${repository.name}`,
    session,
    repository,
    tab: "environments",
    body: html`<div class="page">
<h1>Environments</h1>
${environments.length === 0 ? noEnvironmentYet : html`<ul class="environments">${environments.map((one) => environmentItem(home, one, now))}</ul>`}
<h2>Latest runs</h2>
${latest.length === 0 ? noRunsYet(repository) : runTable(repository, latest, now)}
${latest.length === 0 ? "" : html`<p class="more"><a href="${home}/runs">All runs</a></p>`}</div>`,
  });
}

const noEnvironmentYet: Html = html`<p class="teach">Nothing was deployed yet. Name a place under <code>environments:</code> in <code>.github/signalbox.yml</code>
and merge a pull request: what is live there stands here from then on.</p>`;

function environmentItem(home: string, { name, live, newest }: EnvironmentView, now: number): Html {
  return html`<li><h3>${name}</h3><div>
${live === null ? html`<p class="muted">Nothing is live here yet.</p>` : liveItem(home, live, now)}
${newest === null ? "" : html`<p class="newest" data-look="${lookOf(newest)}">${icon(lookOf(newest))}<a href="${home}/runs/${newest.id}">${short(newest.sha)}</a> <span class="verdict">${sentenceOf(newest)}</span></p>`}
</div></li>`;
}

function liveItem(home: string, live: DeploymentRun, now: number): Html {
  const since = live.state === "finished" ? live.finishedAt : live.createdAt;
  return html`<p class="what"><span class="live">Live</span> ${live.title ?? html`<span class="sha">${short(live.sha)}</span>`}</p>
<p class="facts"><span class="sha">${short(live.sha)}</span>${live.pullRequest === null ? "" : html`<span>#${live.pullRequest}</span>`}${
    live.person === null ? "" : html`<span>${live.person}</span>`
  }${ago(since, now)}<a href="${home}/runs/${live.id}">run ${live.id}</a></p>`;
}
