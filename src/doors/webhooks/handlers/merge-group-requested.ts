import type { Context } from "probot";
import { cancelUnneeded } from "../../../checks/heads.ts";
import { asksForChanges, planChecks } from "../../../checks/plan.ts";
import { startChecks } from "../../../checks/start.ts";
import { filesChanged } from "../../../github/contents.ts";
import { type Repository, rememberRepository } from "../../../github/repository.ts";
import { keepReading } from "../../../runs/readings.ts";
import type { Cancellation } from "../../../runs/run.ts";
import type { Services } from "../../../services.ts";
import { receiptOf, repositoryFrom } from "../payloads.ts";

type Group = Context<"merge_group.checks_requested">["payload"]["merge_group"];

/**
 * A merge queue made a commit and wants to know whether it may become the branch's head: check it by its own file, which is the repository's.
 * It asks for a status of this very commit, so neither a tree that was checked nor `[skip ci]` in a message spares it the checks.
 * https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
 */
export async function mergeGroupRequested(context: Context<"merge_group.checks_requested">, services: Services): Promise<void> {
  const repository = repositoryOf(context.payload);
  const { merge_group: group, sender } = context.payload;
  const reading = await services.loadFile(repository, group.head_sha);
  const planned =
    reading.kind === "file" ? planChecks(reading.file, await changedFiles(reading.file, repository, group, services)) : [];
  const commit = {
    cause: receiptOf(context),
    repository: repository.id,
    sha: group.head_sha,
    ref: group.head_ref.replace(/^refs\/heads\//, ""),
    pullRequest: pullRequestOf(group),
    title: group.head_commit.message.split("\n", 1)[0] ?? null,
    person: sender?.login ?? null,
    trust: "own" as const,
  };
  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    await keepReading(tx, repository.id, commit.sha, reading.kind === "mistakes" ? reading : { kind: "fine" });
    await startChecks(tx, commit, planned, false);
  });
}

/** The queue let the group go: nobody waits for its checks any more, unless it has become the branch's head. */
export async function mergeGroupDestroyed({ payload }: Context<"merge_group.destroyed">, services: Services): Promise<void> {
  const repository = repositoryOf(payload);
  const { merge_group: group, reason } = payload;
  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    if (reason !== "merged") await cancelUnneeded(tx, repository.id, group.head_sha, whyDestroyed(group));
  });
}

/** GitHub's schema leaves open what every such event has. */
function repositoryOf({ repository, ...rest }: Context<"merge_group">["payload"]): Repository {
  if (repository === undefined) throw new Error("The event names no repository");
  return repositoryFrom({ repository, ...rest });
}

function whyDestroyed(group: Pick<Group, "head_ref">): Cancellation {
  return {
    kind: "by hand",
    by: "the merge queue",
    reason: `it let go of ${pullRequestOf(group) === null ? "the group" : `pull request #${pullRequestOf(group)}`}`,
  };
}

/** The last pull request of the group: GitHub names its branch `gh-readonly-queue/BASE/pr-NUMBER-SHA`. */
function pullRequestOf({ head_ref: ref }: Pick<Group, "head_ref">): number | null {
  const [, number] = /\/pr-(\d{1,9})-[0-9a-f]{40}$/.exec(ref) ?? [];
  return number === undefined ? null : Number(number);
}

/** Costs a request, so it is asked only when the file has `paths`. */
async function changedFiles(
  file: Parameters<typeof asksForChanges>[0],
  repository: Repository,
  { base_sha: base, head_sha: head }: Group,
  { github }: Services,
): Promise<readonly string[] | null> {
  if (!asksForChanges(file)) return null;
  const { files, complete } = await filesChanged(github.as(repository.installation), repository, base, head);
  return complete ? files : null;
}
