import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** Comments on a pull request. GitHub does not make this idempotent: after a failure ask `hasComment` first. https://docs.github.com/en/rest/issues/comments#create-an-issue-comment */
export async function createComment(
  github: Installation,
  { owner, name }: Repository,
  pullRequest: number,
  body: string,
): Promise<void> {
  await github.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
    owner,
    repo: name,
    issue_number: pullRequest,
    body,
  });
}

/** Whether an App has said something with this text in it since; of the first hundred comments since. */
export async function hasComment(
  github: Installation,
  { owner, name }: Repository,
  pullRequest: number,
  { since, text }: { readonly since: Date; readonly text: string },
): Promise<boolean> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
    owner,
    repo: name,
    issue_number: pullRequest,
    since: since.toISOString(),
    per_page: 100,
  });
  return data.some((comment) => comment.user?.type === "Bot" && (comment.body ?? "").includes(text));
}
