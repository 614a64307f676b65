import { html } from "hono/html";
import type { Repository } from "../../../github/repository.ts";
import { short } from "../../../runs/sentences.ts";
import type { Html } from "./html.ts";
import { pathOf } from "./layout.ts";

/** A commit on GitHub. */
export function commitLink(gitHub: string, repository: Pick<Repository, "owner" | "name">, sha: string): Html {
  return html`<a class="sha" href="${gitHub}${pathOf(repository)}/commit/${sha}">${short(sha)}</a>`;
}

/** Our page of a pull request; nothing for a commit without one. */
export function pullRequestLink(repository: Pick<Repository, "owner" | "name">, number: number | null): Html | "" {
  return number === null ? "" : html`<a href="${pathOf(repository)}/pulls/${number}">#${number}</a>`;
}

export function personIn(person: string | null): Html | "" {
  return person === null ? "" : html`<span>${person}</span>`;
}
