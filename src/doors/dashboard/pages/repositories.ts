import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import type { Run } from "../../../runs/run.ts";
import { sentenceOf } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { icon } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { lookOf, nameOf } from "./look.ts";
import { ago } from "./times.ts";

export interface RepositoriesView {
  readonly repositories: readonly { readonly repository: Repository; readonly newest: Run | null }[];
  /** Some could not be shown, because GitHub did not say whether the visitor may read them. */
  readonly unsure: number;
}

/** The first page. */
export function repositoriesPage(house: House, session: Session | null, { repositories, unsure }: RepositoriesView): Html {
  const now = house.clock();
  return layout(house, {
    title: "Repositories",
    session,
    body: html`<div class="page"><h1>Repositories</h1>
${unsure === 0 ? "" : html`<p class="strip">GitHub did not say whether you may read ${unsure === 1 ? "one repository" : `${unsure} repositories`}; try again in a minute.</p>`}
${repositories.length === 0 ? (unsure === 0 ? noneYet(house, session) : "") : html`<ul class="repositories">${repositories.map((one) => item(one, now))}</ul>`}</div>`,
  });
}

function item({ repository, newest }: RepositoriesView["repositories"][number], now: number): Html {
  const home = pathOf(repository);
  return html`<li><a class="name" href="${home}">${repository.owner} / <strong>${repository.name}</strong></a>${
    newest === null
      ? html`<p class="facts">Nothing has run yet</p>`
      : html`<p class="facts" data-look="${lookOf(newest)}">${icon(lookOf(newest))}<a href="${home}/runs/${newest.id}">${nameOf(newest)}</a><span>${sentenceOf(newest)}</span>${ago(newest.createdAt, now)}</p>`
  }</li>`;
}

function noneYet({ settings }: House, session: Session | null): Html {
  return html`<div class="teach"><p>There is no repository here yet${session === null ? "" : html` that GitHub lets ${session.person.login} read`}.</p>
<ol><li>Install the App on a repository: on ${new URL(settings.github.web).host} open the App's page and choose “Install”.</li>
<li>Add a file <code>.github/signalbox.yml</code> to it that names your checks.</li>
<li>Open a pull request: the repository appears here with its first run.</li></ol></div>`;
}
