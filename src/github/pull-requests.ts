import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** A pull request as it is at GitHub now. A head whose repository is gone counts as a fork's. https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request */
export async function readPullRequest(
  github: Installation,
  { id, owner, name }: Repository,
  number: number,
): Promise<{ readonly headSha: string; readonly fork: boolean; readonly state: "open" | "closed" | "merged" }> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
    owner,
    repo: name,
    pull_number: number,
  });
  return {
    headSha: data.head.sha,
    // The types say that it is always there, but a fork may be deleted while its pull request is open.
    fork: (data.head.repo as { readonly id: number } | null)?.id !== id,
    state: data.state === "open" ? "open" : data.merged ? "merged" : "closed",
  };
}
