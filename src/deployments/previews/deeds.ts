import type { Transaction } from "../../database/connection.ts";
import type { Repository } from "../../github/repository.ts";
import type { Loaded } from "../../repository-file/load.ts";
import { previewName } from "../../repository-file/preview-rules.ts";
import type { RepositoryFile } from "../../repository-file/repository-file.ts";
import { renderOptions } from "../../repository-file/template.ts";
import { createDeploymentRun } from "../../runs/births.ts";
import { standing } from "../../runs/previews.ts";
import { cancel, enqueue } from "../../runs/queue.ts";
import type { DeploymentRun, Outcome } from "../../runs/run.ts";
import { short } from "../../runs/sentences.ts";
import { configurationOf, type DeploymentConfiguration, type Place } from "../configuration.ts";
import { templateFactsOf } from "../hand-over.ts";
import { configure } from "../wish.ts";
import type { Preview, PreviewDeed } from "./wanted.ts";

/** Writes what was decided. `file` is the default branch's, `head` that of the commit to deploy; without either nothing is deployed. */
export async function carryOutDeed(
  tx: Transaction,
  repository: Repository,
  deed: PreviewDeed,
  file: RepositoryFile | null,
  head: Loaded | null,
): Promise<void> {
  switch (deed.kind) {
    case "cancel":
      return cancel(tx, deed.run, deed.because);
    case "deploy":
      if (file !== null && head !== null) await wishForPreview(tx, repository, deed, file, head);
      return;
    case "take down":
      return takePreviewDown(tx, repository, deed.of, deed.because);
    case "forget":
      await tx.db
        .deleteFrom("preview")
        .where("repository", "=", repository.id)
        .where("environment", "=", deed.environment)
        .execute();
  }
}

/** The head as it is now; what it was built from before is of no interest. */
async function wishForPreview(
  tx: Transaction,
  repository: Repository,
  { preview, pullRequest }: Extract<PreviewDeed, { kind: "deploy" }>,
  file: RepositoryFile,
  head: Loaded,
): Promise<void> {
  const { number, headSha: sha, headRef, title, author } = pullRequest;
  const environment = previewName(preview, number);
  const configuration = previewConfiguration(sha, file, head, preview);
  const since = await createDeploymentRun(tx, {
    cause: { kind: "pull_request", id: number },
    repository: repository.id,
    sha,
    ref: headRef === "" ? null : headRef,
    pullRequest: number,
    title,
    author,
    person: author,
    environment,
    preview,
    task: "deploy",
    automatic: true,
    github: null,
    ...("kind" in configuration
      ? { configuration: null, start: { state: "finished", outcome: configuration } }
      : { configuration, start: { state: "waiting", gates: [{ kind: "order" }] } }),
  });
  if (since === null) return;
  await tx.db
    .insertInto("preview")
    .values({ repository: repository.id, environment, preview, pull_request: number, since })
    .onConflict((conflict) => conflict.columns(["repository", "environment"]).doNothing())
    .execute();
}

/** A head whose file has another place by that name must not be taken for a preview: it would not be a folder of its own. */
function previewConfiguration(
  sha: string,
  file: RepositoryFile,
  head: Loaded,
  preview: string,
): DeploymentConfiguration | Outcome {
  const configuration = configure({ sha, head: null }, file, head, preview);
  if ("kind" in configuration || configuration.plan.trigger === "pull_request") return configuration;
  return { kind: "failed", what: `${preview} is not for previews in .github/signalbox.yml at ${short(sha)}` };
}

/** Waits for its lane and for nothing else. */
async function takePreviewDown(tx: Transaction, repository: Repository, of: Preview, because: string): Promise<void> {
  const there = standing(of.runs);
  const last = there.at(-1);
  const before = last === undefined ? null : configurationOf(last);
  if (last === undefined || before === null) return;
  const run = await createDeploymentRun(tx, {
    cause: { kind: "pull_request", id: of.pullRequest },
    repository: repository.id,
    sha: last.sha,
    ref: last.ref,
    pullRequest: of.pullRequest,
    title: `Take ${of.environment} down: ${because}`,
    author: last.author,
    person: null,
    environment: of.environment,
    preview: of.preview,
    task: "teardown",
    automatic: false,
    github: null,
    configuration: { ...before, teardown: { because, places: placesOf(there, repository) } },
    start: { state: "waiting", gates: [{ kind: "order" }] },
  });
  if (run === null) return;
  await enqueue(tx, run, null);
  await tx.db
    .insertInto("history")
    .values({
      at: tx.now,
      repository: repository.id,
      environment: of.environment,
      run,
      person: "Signalbox",
      door: "server",
      deed: "take down",
      reason: because,
      details: JSON.stringify({ pull_request: of.pullRequest }),
    })
    .execute();
}

function placesOf(runs: readonly DeploymentRun[], repository: Repository): readonly Place[] {
  const places = runs.flatMap((run): readonly Place[] => {
    const plan = configurationOf(run)?.plan;
    if (plan === undefined) return [];
    return [{ target: plan.target, with: renderOptions(plan.with, templateFactsOf(run, repository)) }];
  });
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}
