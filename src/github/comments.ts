import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

/** Comments on a pull request. GitHub does not make this idempotent: after a failure ask `hasComment` first. https://docs.github.com/en/rest/issues/comments#create-an-issue-comment */
export async function createComment(
  github: Installation,
  { owner, name }: Repository,
  pullRequest: number,
  body: string,
): Promise<number> {
  const { data } = await github.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
    owner,
    repo: name,
    issue_number: pullRequest,
    body,
  });
  return Number(data.id);
}

/** Replaces the text of a comment; `false` when somebody has deleted it. https://docs.github.com/en/rest/issues/comments#update-an-issue-comment */
export async function updateComment(
  github: Installation,
  { owner, name }: Repository,
  comment: number,
  body: string,
): Promise<boolean> {
  try {
    await github.request("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", {
      owner,
      repo: name,
      comment_id: comment,
      body,
    });
    return true;
  } catch (error) {
    if (error instanceof GitHubProblem && error.kind === "missing") return false;
    throw error;
  }
}

interface Said {
  readonly since: Date;
  readonly text: string;
}

/** Whether an App has said something with this text in it since; of the first hundred comments since. */
export async function hasComment(
  github: Installation,
  repository: Repository,
  pullRequest: number,
  said: Said,
): Promise<boolean> {
  return (await findComment(github, repository, pullRequest, said)) !== null;
}

/** The same, with the comment's id; `null` when there is none. */
export async function findComment(
  github: Installation,
  { owner, name }: Repository,
  pullRequest: number,
  { since, text }: Said,
): Promise<number | null> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
    owner,
    repo: name,
    issue_number: pullRequest,
    since: since.toISOString(),
    per_page: 100,
  });
  const found = data.find((comment) => comment.user?.type === "Bot" && (comment.body ?? "").includes(text));
  return found === undefined ? null : Number(found.id);
}
