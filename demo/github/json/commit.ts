import type { Commit } from "../git/commits.ts";
import type { FileChange } from "../git/differences.ts";
import { fullName, type RepositoryState } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { accountJson, emailOf, nodeId } from "./account.ts";
import { repositoryUrl } from "./repository.ts";

const UNSIGNED = { verified: false, reason: "unsigned", signature: null, payload: null };

/** A commit with its GitHub accounts, as `GET /repos/{owner}/{repo}/commits/{ref}` and comparisons show it. */
export function commitJson(world: World, repository: RepositoryState, commit: Commit): Record<string, unknown> {
  const url = repositoryUrl(world, repository);
  const page = `${world.origin}/${fullName(repository)}`;
  return {
    sha: commit.sha,
    node_id: nodeId("C", repository.id),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: { ...UNSIGNED, verified_at: null },
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: accountOfEmail(world, commit.author.email),
    committer: accountOfEmail(world, commit.committer.email),
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/commits/${sha}`, html_url: `${page}/commit/${sha}` })),
  };
}

/** As in the `status` event, whose schema is older: it knows no `verified_at`. */
export function statusCommitJson(world: World, repository: RepositoryState, commit: Commit): Record<string, unknown> {
  const json = commitJson(world, repository, commit);
  return { ...json, commit: { ...Object(json.commit), verification: UNSIGNED } };
}

/** The bare git object of `GET /repos/{owner}/{repo}/git/commits/{sha}`. */
export function gitCommitJson(world: World, repository: RepositoryState, commit: Commit): Record<string, unknown> {
  const url = repositoryUrl(world, repository);
  const page = `${world.origin}/${fullName(repository)}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId("C", repository.id),
    url: `${url}/git/commits/${commit.sha}`,
    html_url: `${page}/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    message: commit.message,
    tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/git/commits/${sha}`, html_url: `${page}/${sha}` })),
    verification: { ...UNSIGNED, verified_at: null },
  };
}

/** A commit in a `push` event. */
export function pushedCommitJson(
  world: World,
  repository: RepositoryState,
  commit: Commit,
  files: readonly FileChange[],
): object {
  const paths = (...kinds: FileChange["status"][]) =>
    files.filter(({ status }) => kinds.includes(status)).map(({ path }) => path);
  const renamedFrom = files.flatMap(({ previousPath }) => previousPath ?? []);
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${world.origin}/${fullName(repository)}/commit/${commit.sha}`,
    author: signatureJson(world, commit.author),
    committer: signatureJson(world, commit.committer),
    added: paths("added", "renamed"),
    removed: [...paths("removed"), ...renamedFrom],
    modified: paths("modified"),
  };
}

export function fileChangeJson(world: World, repository: RepositoryState, sha: string, change: FileChange): object {
  const page = `${world.origin}/${fullName(repository)}`;
  const path = change.path.split("/").map(encodeURIComponent).join("/");
  return {
    sha: change.blob,
    filename: change.path,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    blob_url: `${page}/blob/${sha}/${path}`,
    raw_url: `${page}/raw/${sha}/${path}`,
    contents_url: `${repositoryUrl(world, repository)}/contents/${path}?ref=${sha}`,
    ...(change.previousPath === null ? {} : { previous_filename: change.previousPath }),
  };
}

function signatureJson(world: World, { name, email }: { readonly name: string; readonly email: string }): object {
  const username = accountByEmail(world, email)?.login;
  return { name, email, ...(username ? { username } : {}) };
}

function accountOfEmail(world: World, email: string): object | null {
  const account = accountByEmail(world, email);
  return account ? accountJson(world, account) : null;
}

function accountByEmail(world: World, email: string): Account | undefined {
  return [...world.accounts.values()].find((account) => emailOf(account) === email);
}
