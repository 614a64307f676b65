import type { Context } from "probot";
import { cancelUnneeded, type PullRequestHead, rememberHead, rememberPusher } from "../../../checks/heads.ts";
import { asksForChanges, type PlannedCheck, planChecks } from "../../../checks/plan.ts";
import { headAsksToSkip } from "../../../checks/skip.ts";
import { startChecks } from "../../../checks/start.ts";
import { checkGates, trustedRef } from "../../../checks/trust.ts";
import { wantEditRead } from "../../../deployments/edited-file.ts";
import { filesChanged } from "../../../github/contents.ts";
import { type Repository, rememberRepository } from "../../../github/repository.ts";
import type { Loaded } from "../../../repository-file/load.ts";
import type { RepositoryFile } from "../../../repository-file/repository-file.ts";
import { wantMergeOf } from "../../../runs/merge-wants.ts";
import { hasRuns } from "../../../runs/read.ts";
import { keepReading } from "../../../runs/readings.ts";
import { wantReconsidering } from "../../../runs/reconsidering.ts";
import type { Services } from "../../../services.ts";
import { pullRequestFrom, receiptOf, repositoryFrom } from "../payloads.ts";
import { isRedelivery } from "../redelivery.ts";

type Event = "opened" | "reopened" | "synchronize" | "edited" | "ready_for_review" | "converted_to_draft";

/** A pull request shows a commit: plan the checks of its head, and let go of those of the head before. A fork's wait for an approval. */
export async function pullRequestUpdated(context: Context<`pull_request.${Event}`>, services: Services): Promise<void> {
  const repository = repositoryFrom(context.payload);
  const pullRequest = pullRequestFrom(context.payload);
  if (pullRequest.state !== "open" || onlyWordsChanged(context)) return;

  const { planned, reading, skipped } = await whatIsAsked(repository, pullRequest, services);
  const isConcerned = await concerns(repository, pullRequest, { reading, skipped }, services);
  const cause = receiptOf(context);
  const repeats = await services.database.read((db) => isRedelivery(db, cause.id));
  const again = repeats && ["opened", "reopened", "synchronize"].includes(context.payload.action);

  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    const person = context.payload.sender?.login ?? pullRequest.author;
    if (["opened", "synchronize"].includes(context.payload.action))
      await rememberPusher(tx, { repository: repository.id, number: pullRequest.number, person });
    const heard = await rememberHead(tx, pullRequest, repeats);
    if (heard.kind === "late") return;
    if (heard.before !== null && heard.before !== pullRequest.headSha) {
      await cancelUnneeded(tx, repository.id, heard.before, { kind: "superseded", by: pullRequest.headSha });
    }
    await keepReading(tx, repository.id, pullRequest.headSha, reading.kind === "mistakes" ? reading : { kind: "fine" });
    const { headSha: sha, headRef: ref, number, title, fork } = pullRequest;
    const commit = {
      cause,
      repository: repository.id,
      sha,
      ref,
      pullRequest: number,
      title,
      person,
      trust: fork ? ("fork" as const) : ("own" as const),
    };
    await startChecks(tx, commit, planned, again, await checkGates(tx.db, commit, services.settings.sandbox));
    await wantMergeOf(tx, pullRequest);
    if (!isConcerned) return;
    if (!skipped && pullRequest.baseRef === repository.defaultBranch) await wantEditRead(tx, repository.id, number);
    // Its previews are decided from what is known of it now, and what it changes in the file is read.
    await wantReconsidering(tx, repository.id, "soon");
  });
}

/** An edit of the title or the text: nothing follows from it. */
function onlyWordsChanged({ payload }: Context<`pull_request.${Event}`>): boolean {
  return payload.action === "edited" && payload.changes.base === undefined;
}

/** A commit that asks to be skipped counts as one without a file: nothing is said of it. */
async function whatIsAsked(
  repository: Repository,
  pullRequest: PullRequestHead,
  services: Services,
): Promise<{ readonly planned: readonly PlannedCheck[]; readonly reading: Loaded; readonly skipped: boolean }> {
  const reading = await services.loadFile(repository, trustedRef(pullRequest));
  const skipped = reading.kind !== "none" && (await headAsksToSkip(services, repository, pullRequest.headSha));
  if (skipped) return { planned: [], reading: { kind: "none" }, skipped };
  if (reading.kind !== "file") return { planned: [], reading, skipped };
  const changed = await changedFiles(reading.file, repository, pullRequest, services);
  return { planned: planChecks(reading.file, changed), reading, skipped };
}

/** A repository that has no file and never had one is left in peace. Where the head has none, it may be what deletes it. */
async function concerns(
  repository: Repository,
  { fork, baseRef }: PullRequestHead,
  { reading, skipped }: { readonly reading: Loaded; readonly skipped: boolean },
  { database, loadFile }: Services,
): Promise<boolean> {
  if (reading.kind !== "none" || (await database.read((db) => hasRuns(db, repository.id)))) return true;
  // Of a fork it was the base branch's that was read.
  return !skipped && !fork && (await loadFile(repository, baseRef)).kind !== "none";
}

/** Costs a request, so it is asked only when the file has `paths`. GitHub lists 300 files; of more than those every check runs. */
async function changedFiles(
  file: RepositoryFile,
  repository: Repository,
  { baseRef, headSha }: PullRequestHead,
  { github }: Services,
) {
  if (!asksForChanges(file)) return null;
  const { files, complete } = await filesChanged(github.as(repository.installation), repository, baseRef, headSha);
  return complete ? files : null;
}
