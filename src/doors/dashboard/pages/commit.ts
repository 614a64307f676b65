import { html } from "hono/html";
import type { MissingContext } from "../../../checks/missing-contexts.ts";
import type { Repository } from "../../../github/repository.ts";
import type { FileEdit, FileReading } from "../../../runs/readings.ts";
import type { CheckRun } from "../../../runs/run.ts";
import { short } from "../../../runs/sentences.ts";
import type { House } from "../house.ts";
import type { Session } from "../session.ts";
import type { Html } from "./html.ts";
import { icon } from "./icons.ts";
import { layout, pathOf } from "./layout.ts";
import { runTable } from "./runs.ts";

const path = ".github/signalbox.yml";

export interface CommitView {
  readonly repository: Repository;
  readonly sha: string;
  readonly reading: FileReading;
  readonly checks: readonly CheckRun[];
  readonly missing: readonly MissingContext[];
}

/** A commit: the mistakes of its repository file in full, and its checks. */
export function commitPage(house: House, session: Session | null, view: CommitView): Html {
  const { repository, sha, reading, checks, missing } = view;
  const gitHub = `${house.settings.github.web}${pathOf(repository)}`;
  return layout(house, {
    title: `${titleOf(reading)} at ${short(sha)}`,
    ...(reading.kind === "mistakes" ? { look: "errored" as const } : {}),
    session,
    repository,
    body: html`<div class="page">
<h1>Commit <a class="sha" href="${gitHub}/commit/${sha}">${short(sha)}</a></h1>
${verdict(reading, `${gitHub}/blob/${sha}/${path}`)}
${missingList(missing)}<h2>Checks</h2>
${checks.length === 0 ? html`<p class="muted">No check of this commit was started.</p>` : runTable(repository, checks, house.clock())}</div>`,
  });
}

/** Required contexts that nobody produces, a sentence each; nothing where there are none. */
export function missingList(missing: readonly MissingContext[]): Html {
  if (missing.length === 0) return html``;
  return html`<ul class="mistakes">${missing.map(({ sentence }) => html`<li data-look="waiting">${icon("waiting")}<span>${sentence}</span></li>`)}</ul>
`;
}

function titleOf(reading: FileReading): string {
  switch (reading.kind) {
    case "mistakes":
      return "Mistakes in signalbox.yml";
    case "fine":
      return reading.edit === undefined ? "Checks" : "Edit of signalbox.yml";
  }
}

function verdict(reading: FileReading, file: string): Html {
  switch (reading.kind) {
    case "mistakes":
      return mistakesOf(reading, file, "Nothing runs for this commit");
    case "fine":
      if (reading.edit !== undefined) return editOf(reading.edit, file);
      return html`<p class="lead">No mistake in <a href="${file}">${path}</a> is known.</p>`;
  }
}

type Mistakes = Extract<FileReading, { kind: "mistakes" }>;

function mistakesOf({ mistakes }: Mistakes, file: string, what: string): Html {
  return html`<p class="lead" data-look="errored">${icon("errored")}${what} until
<a href="${file}">${path}</a> is right. Correct ${mistakes.length === 1 ? "this" : "these"} and push:</p>
<ol class="mistakes">${mistakes.map((mistake) => mistakeItem(mistake, file))}</ol>`;
}

/** What the strangers' words say is shown as text, whatever is in them. */
function editOf(edit: FileEdit, file: string): Html {
  if (edit.kind === "mistakes") return mistakesOf(edit, file, "This pull request breaks what comes after the merge,");
  if (edit.sentences.length === 0)
    return html`<p class="lead">This edit of <a href="${file}">${path}</a> changes nothing for deployments.</p>`;
  return html`<p class="lead">Deployments follow the default branch, so this edit of <a href="${file}">${path}</a> counts only once it is merged. Then:</p>
<ul class="changes">${edit.sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
}

function mistakeItem(mistake: Mistakes["mistakes"][number], file: string): Html {
  const { path: place, problem, line } = mistake;
  return html`<li>${place === "" ? "" : html`<code>${place}</code> `}<span>${problem}</span>${
    line === undefined ? "" : html` <a href="${file}#L${line}">line ${line}</a>`
  }</li>`;
}
