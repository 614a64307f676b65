import { readCommits } from "../git/commits.ts";
import { accountJson } from "../json/account.ts";
import { statusCommitJson } from "../json/commit.ts";
import { repositoryUrl } from "../json/repository.ts";
import { fullName, type RepositoryState, type Status } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { announce, isHeard } from "./announce.ts";

export type NewStatus = Pick<Status, "sha" | "state" | "context" | "description" | "targetUrl"> & { readonly creator: Account };

/** Adds a status to a commit that exists and fires `status`. Git is read first, so that events keep the order of the statuses. */
export async function addStatus(world: World, repository: RepositoryState, facts: NewStatus): Promise<Status> {
  const place = isHeard(world, repository, "status") ? await placeOf(world, repository, facts.sha) : null;
  const status: Status = { ...facts, id: world.id(), createdAt: world.clock.now() };
  repository.statuses.push(status);
  if (place) announce(world, repository, "status", facts.creator, { ...eventJson(world, repository, status), ...place });
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

function eventJson(world: World, repository: RepositoryState, status: Status): object {
  const { node_id, url, creator, ...facts } = statusJson(world, repository, status);
  return { ...facts, sha: status.sha, name: fullName(repository) };
}

/** The commit, and at most ten branches that contain it: https://docs.github.com/en/webhooks/webhook-events-and-payloads#status */
async function placeOf(world: World, repository: RepositoryState, sha: string): Promise<object> {
  const format = "--format=%(objectname) %(refname:lstrip=2)";
  const [[commit], names] = await Promise.all([
    readCommits(repository.git, ["--max-count=1", sha]),
    repository.git(["for-each-ref", `--contains=${sha}`, "--count=10", format, "refs/heads"]),
  ]);
  const url = `${repositoryUrl(world, repository)}/commits`;
  const branches = names.split("\n").filter(Boolean);
  return {
    commit: commit ? statusCommitJson(world, repository, commit) : null,
    branches: branches.map((line) => {
      const head = line.slice(0, 40);
      return { name: line.slice(41), commit: { sha: head, url: `${url}/${head}` }, protected: false };
    }),
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
