import { isHeldBack } from "../deeds/needs.ts";
import { fullName, type PullRequest, type RepositoryState } from "../repository-state.ts";
import type { World } from "../world.ts";
import { accountJson, nodeId } from "./account.ts";
import { repositoryJson, repositoryPage, repositoryUrl } from "./repository.ts";

/** A pull request as lists show it. */
export function pullRequestSummaryJson(world: World, pull: PullRequest): Record<string, unknown> {
  const repository = pull.base.repository;
  const { id, number, title, body, state, draft } = pull;
  return {
    ...addresses(world, pull),
    id,
    node_id: nodeId("PR", id),
    number,
    state,
    locked: false,
    title,
    user: accountJson(world, pull.author),
    body,
    created_at: pull.createdAt.toISOString(),
    updated_at: pull.updatedAt.toISOString(),
    closed_at: pull.closedAt?.toISOString() ?? null,
    merged_at: pull.merged?.at.toISOString() ?? null,
    merge_commit_sha: pull.merged?.sha ?? pull.testMerge,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: [...pull.labels].map((label) => labelJson(world, repository, label)),
    milestone: null,
    draft,
    head: endJson(world, pull.head),
    base: endJson(world, { ...pull.base, repository }),
    author_association: associationOf(repository, pull.author.login),
    auto_merge: null,
    active_lock_reason: null,
  };
}

/**
 * One pull request. GitHub computes `mergeable` in the background, so events usually say `null`:
 * https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-your-git-database#checking-mergeability-of-pull-requests
 */
export function pullRequestJson(
  world: World,
  pull: PullRequest,
  mergeability: "known" | "not yet known",
): Record<string, unknown> {
  const { size } = pull;
  const mergeable = pull.merged || pull.state === "closed" || mergeability === "not yet known" ? null : pull.testMerge !== null;
  return {
    ...pullRequestSummaryJson(world, pull),
    ...(mergeability === "not yet known" && !pull.merged ? { merge_commit_sha: null } : {}),
    merged: pull.merged !== null,
    mergeable,
    rebaseable: mergeable,
    mergeable_state:
      mergeable === null ? "unknown" : !mergeable ? "dirty" : pull.draft ? "draft" : isHeldBack(pull) ? "blocked" : "clean",
    merged_by: pull.merged ? accountJson(world, pull.merged.by) : null,
    comments: pull.base.repository.comments.filter(({ number }) => number === pull.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: size.commits,
    additions: size.additions,
    deletions: size.deletions,
    changed_files: size.changedFiles,
  };
}

/** A label, told apart by its name. */
export function labelJson(world: World, repository: RepositoryState, name: string): Record<string, unknown> {
  const id = [...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7) % 1_000_000;
  const url = `${repositoryUrl(world, repository)}/labels/${encodeURIComponent(name)}`;
  return { id, node_id: nodeId("LA", id), url, name, color: "0e8a16", default: false, description: null };
}

/** How a person stands to a repository: https://docs.github.com/en/graphql/reference/enums#commentauthorassociation */
export function associationOf(repository: RepositoryState, login: string): "OWNER" | "MEMBER" | "COLLABORATOR" | "NONE" {
  if (repository.owner.login.toLowerCase() === login.toLowerCase()) return "OWNER";
  if (!repository.permissions.has(login.toLowerCase())) return "NONE";
  return repository.owner.type === "Organization" ? "MEMBER" : "COLLABORATOR";
}

function addresses(world: World, pull: PullRequest): object {
  const repository = repositoryUrl(world, pull.base.repository);
  const page = `${repositoryPage(world, pull.base.repository)}/pull/${pull.number}`;
  const url = `${repository}/pulls/${pull.number}`;
  const issue = `${repository}/issues/${pull.number}`;
  const links = {
    issue,
    comments: `${issue}/comments`,
    review_comments: `${url}/comments`,
    review_comment: `${repository}/pulls/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${repository}/statuses/${pull.head.sha}`,
  };
  const href = ([name, address]: [string, string]) => [name, { href: address }];
  return {
    url,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    ...Object.fromEntries(Object.entries(links).map(([name, address]) => [`${name}_url`, address])),
    _links: Object.fromEntries(
      [["self", url] as [string, string], ["html", page] as [string, string], ...Object.entries(links)].map(href),
    ),
  };
}

function endJson(
  world: World,
  end: { readonly repository: RepositoryState; readonly ref: string; readonly sha: string },
): object {
  const { repository, ref, sha } = end;
  return {
    label: `${repository.owner.login}:${ref}`,
    ref,
    sha,
    user: accountJson(world, repository.owner),
    repo: repositoryJson(world, repository),
  };
}

/** The page of one pull request. */
export function pullRequestPage(world: World, pull: PullRequest): string {
  return `${world.origin}/${fullName(pull.base.repository)}/pull/${pull.number}`;
}
