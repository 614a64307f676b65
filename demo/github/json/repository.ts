import { fullName, type RepositoryState } from "../repository-state.ts";
import type { World } from "../world.ts";
import { accountJson, nodeId } from "./account.ts";

type Place = Pick<World, "api" | "origin" | "repositories">;

/** What webhooks, `base.repo`, `head.repo` and lists of repositories hold. */
export function repositoryJson(world: Place, repository: RepositoryState): Record<string, unknown> {
  const forks = [...world.repositories.values()].filter(({ parent }) => parent === repository).length;
  const openPullRequests = repository.pullRequests.filter(({ state }) => state === "open").length;
  return {
    ...identity(world, repository),
    ...addresses(world, repository),
    created_at: repository.createdAt.toISOString(),
    updated_at: repository.pushedAt.toISOString(),
    pushed_at: repository.pushedAt.toISOString(),
    homepage: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    watchers: 0,
    language: null,
    license: null,
    topics: [],
    custom_properties: {},
    has_issues: true,
    has_projects: false,
    has_downloads: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    mirror_url: null,
    archived: false,
    disabled: false,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    visibility: repository.private ? "private" : "public",
    forks_count: forks,
    forks,
    open_issues_count: openPullRequests,
    open_issues: openPullRequests,
    default_branch: repository.defaultBranch,
  };
}

/** What `GET /repos/{owner}/{repo}` answers: more than any list. */
export function fullRepositoryJson(world: Place, repository: RepositoryState): Record<string, unknown> {
  const parent = repository.parent ? repositoryJson(world, repository.parent) : null;
  return {
    ...repositoryJson(world, repository),
    network_count: 0,
    subscribers_count: 0,
    ...(parent ? { parent, source: parent } : {}),
    ...(repository.owner.type === "Organization" ? { organization: accountJson(world, repository.owner) } : {}),
  };
}

export function repositoryUrl(world: Place, repository: RepositoryState): string {
  return `${world.api}/repos/${fullName(repository)}`;
}

export function repositoryPage(world: Place, repository: RepositoryState): string {
  return `${world.origin}/${fullName(repository)}`;
}

function identity(world: Place, repository: RepositoryState): object {
  return {
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: accountJson(world, repository.owner),
    description: null,
    fork: repository.parent !== null,
  };
}

function addresses(world: Place, repository: RepositoryState): object {
  const url = repositoryUrl(world, repository);
  const page = repositoryPage(world, repository);
  const host = new URL(world.origin).host;
  return {
    url,
    html_url: page,
    clone_url: `${page}.git`,
    svn_url: page,
    git_url: `git://${host}/${fullName(repository)}.git`,
    ssh_url: `ssh://git@${host}/${fullName(repository)}.git`,
    ...Object.fromEntries(SUBRESOURCES.map(([name, path]) => [`${name}_url`, `${url}/${path}`])),
  };
}

const SUBRESOURCES: readonly (readonly [name: string, path: string])[] = [
  ["archive", "{archive_format}{/ref}"],
  ["assignees", "assignees{/user}"],
  ["blobs", "git/blobs{/sha}"],
  ["branches", "branches{/branch}"],
  ["collaborators", "collaborators{/collaborator}"],
  ["comments", "comments{/number}"],
  ["commits", "commits{/sha}"],
  ["compare", "compare/{base}...{head}"],
  ["contents", "contents/{+path}"],
  ["contributors", "contributors"],
  ["deployments", "deployments"],
  ["downloads", "downloads"],
  ["events", "events"],
  ["forks", "forks"],
  ["git_commits", "git/commits{/sha}"],
  ["git_refs", "git/refs{/sha}"],
  ["git_tags", "git/tags{/sha}"],
  ["hooks", "hooks"],
  ["issue_comment", "issues/comments{/number}"],
  ["issue_events", "issues/events{/number}"],
  ["issues", "issues{/number}"],
  ["keys", "keys{/key_id}"],
  ["labels", "labels{/name}"],
  ["languages", "languages"],
  ["merges", "merges"],
  ["milestones", "milestones{/number}"],
  ["notifications", "notifications{?since,all,participating}"],
  ["pulls", "pulls{/number}"],
  ["releases", "releases{/id}"],
  ["stargazers", "stargazers"],
  ["statuses", "statuses/{sha}"],
  ["subscribers", "subscribers"],
  ["subscription", "subscription"],
  ["tags", "tags"],
  ["teams", "teams"],
  ["trees", "git/trees{/sha}"],
];
