import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

/** A commit as people read it in a list. */
export interface ListedCommit {
  readonly sha: string;
  /** The first line of its message. */
  readonly title: string;
  /** Login, or the name in the commit where GitHub knows no login. */
  readonly author: string;
  readonly committedAt: Date | null;
}

/** As many as GitHub lists on a page. */
const most = 100;

/**
 * The commits that a branch went through, newest first: of a merge the branch's own side, not what was merged. At most the newest hundred
 * that GitHub lists; `null` when there is no such branch. https://docs.github.com/en/rest/commits/commits#list-commits
 */
export async function commitsOf(
  github: Installation,
  repository: Repository,
  branch: string,
): Promise<readonly ListedCommit[] | null> {
  const listed = await list(github, repository, branch);
  if (listed === null) return null;
  const bySha = new Map(listed.map((commit) => [commit.sha, commit]));
  const commits: ListedCommit[] = [];
  for (let at = listed[0]; at !== undefined; at = bySha.get(at.parents[0]?.sha ?? "")) {
    const { sha, commit, author } = at;
    const date = commit.committer?.date;
    commits.push({
      sha,
      title: commit.message.split("\n", 1)[0] ?? "",
      author: author !== null && "login" in author ? author.login : (commit.author?.name ?? "somebody"),
      committedAt: date === undefined ? null : new Date(date),
    });
  }
  return commits;
}

/**
 * Whether a commit is in the history of another one, or is that one; `false` also for one that GitHub does not know.
 * https://docs.github.com/en/rest/commits/commits#compare-two-commits
 */
export async function isInHistoryOf(
  github: Installation,
  { owner, name }: Repository,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  try {
    const { data } = await github.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
      owner,
      repo: name,
      basehead: `${ancestor}...${descendant}`,
      per_page: 1,
    });
    return data.status === "ahead" || data.status === "identical";
  } catch (error) {
    if (error instanceof GitHubProblem && error.kind === "missing") return false;
    throw error;
  }
}

async function list(github: Installation, { owner, name }: Repository, branch: string) {
  try {
    const order = { owner, repo: name, sha: branch, per_page: most };
    return (await github.request("GET /repos/{owner}/{repo}/commits", order)).data;
  } catch (error) {
    if (error instanceof GitHubProblem && (error.kind === "missing" || error.kind === "refused")) return null;
    throw error;
  }
}
