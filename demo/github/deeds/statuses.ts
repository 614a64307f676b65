import { readCommits } from "../git/commits.ts";
import { accountJson } from "../json/account.ts";
import { statusCommitJson } from "../json/commit.ts";
import { repositoryUrl } from "../json/repository.ts";
import { type Account, fullName, type RepositoryState, type Status, type World } from "../world.ts";
import { announce } from "./announce.ts";

export type NewStatus = Pick<Status, "sha" | "state" | "context" | "description" | "targetUrl"> & { readonly creator: Account };

/** Adds a status to a commit that exists and fires `status`. */
export async function addStatus(world: World, repository: RepositoryState, facts: NewStatus): Promise<Status> {
  const status: Status = { ...facts, id: world.id(), createdAt: world.clock.now() };
  repository.statuses.push(status);
  announce(world, repository, "status", facts.creator, await statusEventJson(world, repository, status));
  return status;
}

/** Every status of a commit, newest first: the order of GitHub's list. */
export function allStatuses(repository: RepositoryState, sha: string): readonly Status[] {
  return repository.statuses.filter((status) => status.sha === sha).reverse();
}

/** The newest status of each context; contexts that differ in case only are one. */
export function newestStatuses(repository: RepositoryState, sha: string): readonly Status[] {
  const newest = new Map<string, Status>();
  for (const status of allStatuses(repository, sha)) {
    const context = status.context.toLowerCase();
    if (!newest.has(context)) newest.set(context, status);
  }
  return [...newest.values()];
}

/** https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference */
export function combinedState(statuses: readonly Status[]): "success" | "pending" | "failure" {
  if (statuses.some(({ state }) => state === "error" || state === "failure")) return "failure";
  return statuses.length === 0 || statuses.some(({ state }) => state === "pending") ? "pending" : "success";
}

async function statusEventJson(
  world: World,
  repository: RepositoryState,
  status: Status,
): Promise<Readonly<Record<string, unknown>>> {
  const [commit] = await readCommits(repository.git, ["--max-count=1", status.sha]);
  const names = await repository.git([
    "for-each-ref",
    `--contains=${status.sha}`,
    "--count=10",
    "--format=%(objectname) %(refname:lstrip=2)",
    "refs/heads",
  ]);
  const url = repositoryUrl(world, repository);
  return {
    id: status.id,
    sha: status.sha,
    name: fullName(repository),
    avatar_url: `${world.origin}/avatars/u/${status.creator.id}`,
    target_url: status.targetUrl,
    context: status.context,
    description: status.description,
    state: status.state,
    commit: commit ? statusCommitJson(world, repository, commit) : null,
    branches: names
      .split("\n")
      .filter(Boolean)
      .map((line) => ({
        name: line.slice(41),
        commit: { sha: line.slice(0, 40), url: `${url}/commits/${line.slice(0, 40)}` },
        protected: false,
      })),
    created_at: status.createdAt.toISOString(),
    updated_at: status.createdAt.toISOString(),
  };
}

export function statusJson(world: World, repository: RepositoryState, status: Status): Record<string, unknown> {
  return {
    url: `${repositoryUrl(world, repository)}/statuses/${status.sha}`,
    avatar_url: `${world.origin}/avatars/u/${status.creator.id}`,
    id: status.id,
    node_id: `SC_${status.id}`,
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt.toISOString(),
    updated_at: status.createdAt.toISOString(),
    creator: accountJson(world, status.creator),
  };
}
