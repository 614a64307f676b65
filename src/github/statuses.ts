import type { Installation } from "./github.ts";
import type { Repository } from "./repository.ts";

/** https://docs.github.com/en/rest/commits/statuses#create-a-commit-status; the description has at most 140 characters. */
export interface CommitStatus {
  readonly context: string;
  readonly state: "pending" | "success" | "failure" | "error";
  readonly description: string;
  readonly target_url: string;
}

/** Posts a status. Repeating it adds one more to GitHub's list, and the newest counts. */
export async function createCommitStatus(
  github: Installation,
  { owner, name }: Repository,
  sha: string,
  status: CommitStatus,
): Promise<void> {
  await github.request("POST /repos/{owner}/{repo}/statuses/{sha}", { owner, repo: name, sha, ...status });
}
