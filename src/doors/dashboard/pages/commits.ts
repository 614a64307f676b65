import { html } from "hono/html";
import { mergedTitle } from "../../../deployments/merged-title.ts";
import type { UndeployedCommit } from "../../../deployments/undeployed.ts";
import type { Repository } from "../../../github/repository.ts";
import type { House } from "../house.ts";
import type { Html } from "./html.ts";
import { icon, type Look } from "./icons.ts";
import { pathOf } from "./layout.ts";
import { lookOf, wordFor } from "./look.ts";
import { ago } from "./times.ts";
import { commitLink, pullRequestLink } from "./who.ts";

/** Commits that are not live, each with what holds it back and what would open that. */
export function commitList(house: House, repository: Repository, commits: readonly UndeployedCommit[]): Html {
  return html`<ol class="commits">${commits.map((commit) => commitItem(house, repository, commit))}</ol>`;
}

function commitItem(house: House, repository: Repository, commit: UndeployedCommit): Html {
  const { sha, author, committedAt, run, because, gates } = commit;
  const look: Look = run === null ? "queued" : lookOf(run);
  const listed = mergedTitle(commit.title);
  return html`<li><span class="state">${icon(look)}<span class="unseen">${run === null ? "Not deployed" : wordFor[look]}</span></span>
<div><p class="what">${run?.title ?? listed.title}</p>
<p class="facts">${pullRequestLink(repository, run?.pullRequest ?? listed.pullRequest)}${commitLink(house.settings.github.web, repository, sha)}<span>${author}</span>${
    committedAt === null ? "" : ago(committedAt, house.clock())
  }${run === null ? "" : html`<a href="${pathOf(repository)}/runs/${run.id}">run ${run.id}</a>`}</p>
<p class="reasons">${because}.</p>${
    gates.length === 0 ? "" : html`<ul class="reasons">${gates.map(({ opens }) => html`<li class="opens">→ ${opens}</li>`)}</ul>`
  }</div></li>`;
}
