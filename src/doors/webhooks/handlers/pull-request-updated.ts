import type { Context } from "probot";
import { cancelUnneeded, rememberHead } from "../../../checks/heads.ts";
import { asksForChanges, planChecks } from "../../../checks/plan.ts";
import { startChecks } from "../../../checks/start.ts";
import { filesChanged } from "../../../github/contents.ts";
import { type Repository, rememberRepository } from "../../../github/repository.ts";
import type { RepositoryFile } from "../../../repository-file/repository-file.ts";
import { keepReading } from "../../../runs/readings.ts";
import type { Services } from "../../../services.ts";
import { type PullRequest, pullRequestFrom, receiptOf, repositoryFrom } from "../payloads.ts";
import { isRedelivery } from "../redelivery.ts";

type Event = "opened" | "reopened" | "synchronize" | "edited" | "ready_for_review";

/** A pull request shows a commit: plan the checks of its head, and let go of those of the head before. */
export async function pullRequestUpdated(context: Context<`pull_request.${Event}`>, services: Services): Promise<void> {
  const repository = repositoryFrom(context.payload);
  const pullRequest = pullRequestFrom(context.payload);
  if (pullRequest.state !== "open" || onlyWordsChanged(context)) return;
  if (pullRequest.fork) return forkUpdated(repository, pullRequest, services);

  const loaded = await services.loadFile(repository, pullRequest.headSha);
  const planned =
    loaded.kind === "file" ? planChecks(loaded.file, await changedFiles(loaded.file, repository, pullRequest, services)) : [];
  const cause = receiptOf(context);
  const repeats = await services.database.read((db) => isRedelivery(db, cause.id));
  const again = repeats && ["opened", "reopened", "synchronize"].includes(context.payload.action);

  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    const heard = await rememberHead(tx, pullRequest);
    if (heard.kind === "late") return;
    if (heard.before !== null && heard.before !== pullRequest.headSha) {
      await cancelUnneeded(tx, repository.id, heard.before, { kind: "superseded", by: pullRequest.headSha });
    }
    await keepReading(tx, repository.id, pullRequest.headSha, loaded.kind === "mistakes" ? loaded : { kind: "fine" });
    const { headSha: sha, headRef: ref, number, title, author } = pullRequest;
    const commit = {
      cause,
      repository: repository.id,
      sha,
      ref,
      pullRequest: number,
      title,
      person: author,
      trust: "own" as const,
    };
    await startChecks(tx, commit, planned, again);
  });
}

/** An edit of the title or the text: nothing follows from it. */
function onlyWordsChanged({ payload }: Context<`pull_request.${Event}`>): boolean {
  return payload.action === "edited" && payload.changes.base === undefined;
}

/** Costs a request, so it is asked only when the file has `paths`. GitHub lists 300 files; of more than those every check runs. */
async function changedFiles(
  file: RepositoryFile,
  repository: Repository,
  { baseRef, headSha }: PullRequest,
  { github }: Services,
) {
  if (!asksForChanges(file)) return null;
  const { files, complete } = await filesChanged(github.as(repository.installation), repository, baseRef, headSha);
  return complete ? files : null;
}

/** Nothing of a fork runs yet; where the base asks for Signalbox, people are told so. */
async function forkUpdated(repository: Repository, pullRequest: PullRequest, { database, loadFile }: Services): Promise<void> {
  const base = await loadFile(repository, pullRequest.baseRef);
  await database.write(async (tx) => {
    await rememberRepository(tx, repository);
    const heard = await rememberHead(tx, pullRequest);
    if (heard.kind === "kept" && base.kind !== "none")
      await keepReading(tx, repository.id, pullRequest.headSha, { kind: "fork" });
  });
}
