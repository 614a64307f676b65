import type { Context } from "probot";
import { cancelUnneeded, rememberHead } from "../../../checks/heads.ts";
import { wishAutomatic } from "../../../deployments/wish.ts";
import { rememberRepository } from "../../../github/repository.ts";
import { wantReconsidering } from "../../../runs/reconsidering.ts";
import type { Services } from "../../../services.ts";
import { pullRequestFrom, receiptOf, repositoryFrom } from "../payloads.ts";

/** A pull request is closed: nobody waits for its checks any more. When it was merged, they go on, and its merge commit is deployed. */
export async function pullRequestClosed(context: Context<"pull_request.closed">, services: Services): Promise<void> {
  const repository = repositoryFrom(context.payload);
  const pullRequest = pullRequestFrom(context.payload);
  const { merged_by: mergedBy, merge_commit_sha: sha } = context.payload.pull_request;
  const isMerged = pullRequest.state === "merged" && sha !== null;
  // The webhook of its push may be on the way still.
  if (isMerged) services.mirrors.prefetch(services.gitSource(repository), [sha]);
  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    const heard = await rememberHead(tx, pullRequest);
    if (heard.kind === "late") return;
    if (!pullRequest.fork) await wantReconsidering(tx, repository.id);
    await cancelUnneeded(tx, repository.id, pullRequest.headSha, { kind: "closed", pullRequest: pullRequest.number });
  });

  if (!isMerged) return;
  const { number, title, author, baseRef: branch, headSha } = pullRequest;
  // The merge commit is the base repository's own, also when the head came from a fork; only then is its tree nobody's but ours.
  const candidate = {
    cause: receiptOf(context),
    repository,
    sha,
    branch,
    pullRequest: number,
    title,
    author,
    person: mergedBy?.login ?? null,
  };
  await wishAutomatic(services, { ...candidate, head: pullRequest.fork ? null : headSha }, "merge");
}
