import { html } from "hono/html";
import { newestStatuses } from "../deeds/statuses.ts";
import { readCommits, readHeads } from "../git/commits.ts";
import { type Answer, notFound } from "../http/answers.ts";
import { type Call, parameter, type Route, route } from "../http/router.ts";
import { type Deployment, fullName, type RepositoryState, type Status } from "../repository-state.ts";
import { findRepository } from "../world.ts";
import { type Piece, pageOf, styleSheet } from "./layout.ts";

/** The list of repositories, and one repository. */
export const repositoryPages: readonly Route[] = [
  route("GET", "/-/style.css", () => styleSheet),
  route("GET", "/", ({ world }) => {
    const names = [...world.repositories.values()].map(fullName);
    const list = html`<ul class="list">${names.map((name) => html`<li><a href="/${name}">${name}</a></li>`)}</ul>`;
    return pageOf(
      "Repositories",
      html`<h1>Repositories</h1>${names.length > 0 ? list : html`<p class="empty">There is none yet.</p>`}`,
    );
  }),
  route("GET", "/:owner/:repo", repositoryPage),
];

async function repositoryPage(call: Call): Promise<Answer> {
  const repository = repositoryIn(call);
  const heads = await readHeads(repository.git);
  const head = heads.get(repository.defaultBranch);
  const commits = head ? await readCommits(repository.git, ["--max-count=10", head]) : [];
  const name = fullName(repository);
  const pulls = repository.pullRequests.toReversed();
  const content = html`<h1>${name}</h1>
    <p class="soft"><code>git clone ${call.world.origin}/${name}.git</code></p>
    <h2>Pull requests</h2>
    ${listOf(
      pulls.map(
        (pull) => html`<li>
          <a href="/${name}/pull/${pull.number}">${pull.title}</a>
          <span class="soft">#${pull.number} by ${pull.author.login}</span> ${stateOf(pull.merged ? "merged" : pull.state)}
        </li>`,
      ),
    )}
    <h2>Environments</h2>
    ${deploymentList(repository.deployments)}
    <h2>Commits on ${repository.defaultBranch}</h2>
    ${listOf(
      commits.map(
        ({ sha, message, author }) => html`<li>
          <code>${sha.slice(0, 7)}</code> ${message.split("\n")[0]} <span class="soft">${author.name}</span>
          ${statusList(newestStatuses(repository, sha))}
        </li>`,
      ),
    )}
    <h2>Branches</h2>
    ${listOf([...heads].map(([branch, sha]) => html`<li>${branch} <code class="soft">${sha.slice(0, 7)}</code></li>`))}`;
  return pageOf(name, content);
}

export function repositoryIn(call: Call): RepositoryState {
  const repository = findRepository(call.world, parameter(call, "owner"), parameter(call, "repo"));
  if (!repository) throw notFound();
  return repository;
}

export function listOf(items: readonly Piece[]): Piece {
  return items.length > 0 ? html`<ul class="list">${items}</ul>` : html`<p class="empty">None yet.</p>`;
}

export function stateOf(state: string): Piece {
  return html`<span class="state ${state}">${state.replace("_", " ")}</span>`;
}

export function statusList(statuses: readonly Status[]): Piece {
  if (statuses.length === 0) return "";
  return html`<ul>${statuses.map(
    ({ state, context, description, targetUrl }) => html`<li>
      ${stateOf(state)} ${targetUrl ? html`<a href="${targetUrl}">${context}</a>` : context} <span class="soft">${description ?? ""}</span>
    </li>`,
  )}</ul>`;
}

/** Newest first, each with its statuses. Addresses have been checked to be http(s) when they came. */
export function deploymentList(deployments: readonly Deployment[]): Piece {
  return listOf(
    deployments.toReversed().map(
      (deployment) => html`<li>
        <strong>${deployment.environment}</strong> <code>${deployment.sha.slice(0, 7)}</code>
        <span class="soft">${deployment.task} by ${deployment.creator.login} ${deployment.description ?? ""}</span>
        <ul>${deployment.statuses.map(
          ({ state, description, environmentUrl, logUrl }) => html`<li>
            ${stateOf(state)} ${description} ${logUrl ? html`<a href="${logUrl}">log</a>` : ""}
            ${environmentUrl ? html`<a href="${environmentUrl}">${environmentUrl}</a>` : ""}
          </li>`,
        )}</ul>
      </li>`,
    ),
  );
}
