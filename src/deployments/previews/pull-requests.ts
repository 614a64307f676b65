import { cancelUnneeded, type PullRequestHead, rememberHead } from "../../checks/heads.ts";
import { GitHubProblem } from "../../github/problem.ts";
import { type KnownHead, openPullRequests, readPullRequest } from "../../github/pull-requests.ts";
import type { Repository } from "../../github/repository.ts";
import type { DeploymentMeans } from "../means.ts";

/**
 * Asks GitHub which pull requests are open, and what became of those that have previews and are not: events get lost while a server is down. What
 * GitHub does not know any more is closed.
 */
export async function askForPullRequests(means: DeploymentMeans, repository: Repository): Promise<void> {
  const { database } = means;
  const github = means.github.as(repository.installation);
  const before = await database.read((db) =>
    db
      .selectFrom("preview")
      .innerJoin("pull_request_head", (join) =>
        join
          .onRef("pull_request_head.repository", "=", "preview.repository")
          .onRef("pull_request_head.number", "=", "preview.pull_request"),
      )
      .select("pull_request_head.number")
      .distinct()
      .where("preview.repository", "=", repository.id)
      .where("pull_request_head.state", "=", "open")
      .execute(),
  );
  const open = await openPullRequests(github, repository);
  const listed = new Set(open.map(({ number }) => number));
  const others = before.map(({ number }) => number).filter((number) => !listed.has(number));
  for (const head of open) await remember(means, repository, head);
  for (const number of others) {
    const head = await readPullRequest(github, repository, number).catch((error: unknown) => {
      if (error instanceof GitHubProblem && error.kind === "missing") return null;
      throw error;
    });
    await (head === null ? forget(means, repository, number) : remember(means, repository, head));
  }
}

async function remember({ database }: DeploymentMeans, repository: Repository, known: KnownHead): Promise<void> {
  const head: PullRequestHead = { ...known, repository: repository.id };
  await database.write(async (tx) => {
    const heard = await rememberHead(tx, head);
    if (heard.kind === "late" || head.state === "open") return;
    await cancelUnneeded(tx, repository.id, head.headSha, { kind: "closed", pullRequest: head.number });
  });
}

async function forget({ database }: DeploymentMeans, repository: Repository, number: number): Promise<void> {
  await database.write((tx) =>
    tx.db
      .updateTable("pull_request_head")
      .set({ state: "closed" })
      .where("repository", "=", repository.id)
      .where("number", "=", number)
      .execute(),
  );
}
