import type { Context } from "probot";
import { rememberPushed } from "../../../checks/skip.ts";
import { wishAutomatic } from "../../../deployments/wish.ts";
import { rememberRepository } from "../../../github/repository.ts";
import { wantReconsidering } from "../../../runs/reconsidering.ts";
import type { Services } from "../../../services.ts";
import { receiptOf, repositoryFrom } from "../payloads.ts";

const branches = "refs/heads/";

/** A branch has a new head: deploy it where the file says so; on the default branch the rules themselves may have changed. */
export async function pushed(context: Context<"push">, services: Services): Promise<void> {
  const { ref, after, deleted, head_commit: commit, pusher } = context.payload;
  if (deleted || !ref.startsWith(branches)) return;
  const repository = repositoryFrom(context.payload);
  const branch = ref.slice(branches.length);
  await services.database.write(async (tx) => {
    await rememberRepository(tx, repository);
    if (commit !== null) await rememberPushed(tx, repository.id, after, commit.message);
    if (branch === repository.defaultBranch) await wantReconsidering(tx, repository.id);
  });
  const title = commit?.message.split("\n", 1)[0] ?? null;
  const author = commit?.author.username ?? null;
  const candidate = {
    cause: receiptOf(context),
    repository,
    sha: after,
    branch,
    pullRequest: null,
    title,
    author,
    person: pusher.name,
    head: null,
  };
  await wishAutomatic(services, candidate, "push");
}
